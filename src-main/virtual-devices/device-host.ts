import { setPriority } from "node:os";
import { setTimeout as after } from "node:timers/promises";
import type { Parent } from "#contract/child.ts";
import { UserError } from "#contract/failure.ts";
import { createSlots } from "#contract/slots.ts";
import type { Clock, DeviceRooms } from "./device-rooms.ts";
import { createDeviceTasks } from "./device-tasks.ts";
import { createKeptState } from "./kept-state.ts";
import type { SharedByDevices } from "./shared-by-devices.ts";
import { runVirtualClient } from "./virtual-client.ts";
import { type FromWorker, SIMULATED_CRASH_CODE, type ToWorker } from "./worker-messages.ts";

/** Finished large updates that may wait for their upload in one worker, beside the one that is being made. */
const UPDATES_IN_MEMORY = 2;
/** Those of slow devices that may wait in one worker before that; 45 MB each with ResNet18. */
const SLEEPING_UPDATES_IN_MEMORY = 4;
/**
 * Niceness of a worker: with every core busy training, the process that serves the wire and the page still gets its
 * turn at once.
 */
export const WORKER_NICENESS = 5;
/** The shortest time between two progress reports of a device, in milliseconds. */
const PROGRESS_EVERY_MS = 250;
/** The shortest time between two reports that a worker's devices answer, in milliseconds. */
const ANSWERED_EVERY_MS = 1000;

const clock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => after(ms, undefined, { signal, ref: true }).catch(() => {}),
};

/**
 * Runs a worker process that hosts virtual devices: waits for its order over the channel to the parent process, loads
 * engine and data once, and lets every device join as a client of its own. The process ends when the fleet tells it
 * to, or when the parent dies.
 */
export const runDeviceHost = (rooms: DeviceRooms, parent: Parent): void => {
  setPriority(WORKER_NICENESS);
  const stop = new AbortController();
  const send = (message: FromWorker) => parent.send(message);
  parent.onMessage((received) => {
    const message = received as ToWorker;
    if (message.kind === "stop") {
      stop.abort();
      // What a device is computing is no longer needed.
      setImmediate(() => process.exit(0));
      return;
    }
    host(message, rooms, stop.signal, send).catch((error: unknown) => {
      if (!(error instanceof UserError)) {
        console.error(error);
        process.exit(1);
      }
      send({ kind: "refused", message: error.message });
    });
  });
};

const host = async (
  order: Extract<ToWorker, { kind: "host" }>,
  rooms: DeviceRooms,
  stop: AbortSignal,
  send: (message: FromWorker) => void,
): Promise<void> => {
  const { task, devices } = order;
  const data = await rooms.loadDataset(task.dataset);
  const { learner, engine } = await rooms.openLearner(order.threads);
  const shared: SharedByDevices = {
    task,
    data,
    learner,
    models: rooms.models,
    kept: createKeptState(task.keptDir, rooms.files),
    compute: createSlots(1),
    uploads: createSlots(UPDATES_IN_MEMORY),
    asleep: createSlots(SLEEPING_UPDATES_IN_MEMORY),
    clock,
    crash: () => process.exit(SIMULATED_CRASH_CODE),
    onProgress: throttled(send),
    onFaultAhead: (device, fault) => send({ kind: "fault-ahead", device, fault }),
  };
  send({ kind: "hosting", engine });
  let reportedAt = Number.NEGATIVE_INFINITY;
  const onAnswered = () => {
    if (clock.now() - reportedAt < ANSWERED_EVERY_MS) return;
    reportedAt = clock.now();
    send({ kind: "answered" });
  };
  await Promise.all(
    devices.map((device) =>
      runVirtualClient({
        server: task.server,
        dialect: task.dialect ?? "flwr",
        ticket: device.ticket,
        tasks: createDeviceTasks(device, shared),
        compute: shared.compute,
        clock,
        stop,
        onAnswered,
      }),
    ),
  );
};

/** The first report of a training passes at once, the others no more often than a person can read them. */
const throttled = (send: (message: FromWorker) => void): SharedByDevices["onProgress"] => {
  const lastAt = new Map<string, number>();
  return (device, run, round, fraction) => {
    const now = clock.now();
    if (fraction > 0 && now - (lastAt.get(device) ?? 0) < PROGRESS_EVERY_MS) return;
    lastAt.set(device, now);
    send({ kind: "progress", device, run, round, fraction });
  };
};
