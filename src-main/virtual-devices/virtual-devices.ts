import type { ForkChild } from "#contract/child.ts";
import type { Emit, TrainingProgress } from "#contract/events.ts";
import { type Failure, UserError } from "#contract/failure.ts";
import type { EngineInfo, ModelName } from "#contract/jobs.ts";
import { removeUnfinished } from "./kept-state.ts";
import { crashedWith, createMishapLog, DROPPED_OUT } from "./mishap-log.ts";
import type { FleetTask, VirtualDevice } from "./worker-messages.ts";
import { superviseWorker, type WorkerDeath, type WorkerProcess } from "./worker-process.ts";

export type { FaultProfile } from "./worker-messages.ts";

interface VirtualDevicesOptions {
  readonly fork: ForkChild;
  /** The root of the worker process: src-main/processes/device-worker.ts. */
  readonly entry: URL;
  /** Worker processes; devices are dealt to them in turn. No result depends on the number. */
  readonly workers: number;
  /** Threads of the engine in each worker. */
  readonly threadsPerWorker: number;
  /** Gets `device-left` with the cause when a worker dies. */
  readonly emit: Emit;
  /** Hears how far each training is. */
  readonly onTraining: (progress: TrainingProgress) => void;
  /**
   * Called at most once per worker, when it has died five times in a row without one answer and is not restarted: its
   * devices are gone for good. The error says why and what to do.
   */
  readonly onGivenUp?: (error: UserError) => void;
}

interface FleetStart extends FleetTask {
  readonly devices: readonly VirtualDevice[];
}

export interface VirtualDevices {
  /**
   * Starts the workers; resolves when all have their data and their devices begin to join. The fleet then stays
   * through all runs of a study: every instruction carries what changes. Once per fleet.
   * @throws UserError when a worker cannot do its work (the data set, the engine); the message says what to fix.
   */
  start(input: FleetStart): Promise<void>;
  /** The engine that the devices train with. @throws before `start` has resolved. */
  engine(): EngineInfo;
  /**
   * What the server calls a lost connection, with its real reason where the fleet knows one: a simulated drop-out
   * or crash, a worker that died. Other failures, and those of other devices, come back as they are. Takes at most
   * half a second: the news of a death may come after the broken connection.
   */
  explain(failure: Failure): Promise<Failure>;
  /** The worker processes as they are now, for the diagnosis. */
  workers(): readonly {
    readonly pid: number | undefined;
    readonly devices: readonly string[];
    readonly output: readonly string[];
  }[];
  /** Ends all workers, within a few seconds; safe to call at any time, and again. */
  stop(): Promise<void>;
}

/**
 * A fleet of virtual devices on this computer: worker processes that host many devices each, every one of them a
 * Flower client of its own over loopback. Workers end by themselves when this process dies.
 */
export const createVirtualDevices = (options: VirtualDevicesOptions): VirtualDevices => {
  let workers: readonly WorkerProcess[] = [];
  let engine: EngineInfo | undefined;
  let started = false;
  let stopped: Promise<void> | undefined;
  const members = new Set<string>();
  const mishaps = createMishapLog((device) => members.has(device));

  const tellDeath = (devices: readonly VirtualDevice[], death: WorkerDeath) => {
    const next =
      death.restartInMs === undefined
        ? "it is not restarted"
        : `it restarts in ${(death.restartInMs / 1000).toFixed(1)} s`;
    for (const device of devices) {
      if (!death.simulated) {
        mishaps.note(device.name, {
          code: "worker-crashed",
          cause: death.cause,
          next: upperFirst(`${next}.`),
        });
      }
      options.emit({ kind: "device-left", device: device.name, reason: `${death.cause}; ${next}` });
    }
  };

  const startWorker = (input: FleetStart, devices: readonly VirtualDevice[]) => {
    const hosting = Promise.withResolvers<void>();
    const { devices: _all, ...task } = input;
    const broken = (error: UserError) => {
      hosting.reject(error);
      options.onGivenUp?.(error);
    };
    const worker = superviseWorker(
      { fork: options.fork, entry: options.entry, threads: options.threadsPerWorker, task, devices },
      {
        onHosting(info) {
          engine = info;
          mishaps.clear(devices.map((device) => device.name));
          hosting.resolve();
        },
        onProgress: ({ device, run, round, fraction }) =>
          options.onTraining({ device, run, round, fraction }),
        onFaultAhead(device, fault) {
          if (fault === "drop") mishaps.note(device, DROPPED_OUT);
          else for (const { name } of devices) mishaps.note(name, crashedWith(name, device));
        },
        onDeath(death) {
          tellDeath(devices, death);
          if (death.restartInMs === undefined) broken(givenUp(devices, death));
        },
        onRefused: (message) => broken(new UserError(message)),
      },
    );
    return { worker, hosting: hosting.promise };
  };

  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };

  return {
    async start(input) {
      if (started) throw new Error("a virtual fleet is started once");
      started = true;
      for (const { name } of input.devices) members.add(name);
      // No device trains before this has resolved, so nothing that is being written is in the way.
      const tidied = removeUnfinished(input.keptDir);
      const hands = deal(input.devices, options.workers);
      const starting = hands.map((devices) => startWorker(input, devices));
      workers = starting.map(({ worker }) => worker);
      try {
        await Promise.all([tidied, ...starting.map(({ hosting }) => hosting)]);
      } catch (error) {
        await stop();
        throw error;
      }
    },
    engine() {
      if (engine === undefined) throw new Error("the fleet has not started");
      return engine;
    },
    explain: (failure) => mishaps.explain(failure),
    workers: () =>
      workers.map((worker) => ({
        pid: worker.pid,
        devices: worker.devices.map((device) => device.name),
        output: worker.output,
      })),
    stop: () => (stopped ??= stop()),
  };
};

interface WorkerPlan {
  /** Worker processes. */
  readonly workers: number;
  /** Threads of the engine in each. */
  readonly threadsPerWorker: number;
}

/**
 * Megabytes that one worker takes at its peak with batches of 50 on the native engine (measured: 380, 500, 450,
 * 1060), with room for a data set of CIFAR's size.
 */
const WORKER_MEGABYTES: Readonly<Record<ModelName, number>> = {
  Net: 600,
  FedAvgNet: 700,
  ResNet8: 650,
  ResNet18: 1400,
};

/** Bytes that one worker of a model takes at its peak. */
export const workerBytes = (model: ModelName): number => WORKER_MEGABYTES[model] * 2 ** 20;

/**
 * How many worker processes a virtual fleet gets on a computer, and how many threads each: one worker per core, as
 * long as there are devices and memory for them, with one thread each. Never more threads: they change the order in
 * which the engine adds, so that a result would depend on the computer's cores.
 *
 * @param input.cores processor cores that may be used
 * @param input.memoryBytes memory that may be used; default: what is free for this process now
 */
export const planWorkers = (input: {
  readonly cores: number;
  readonly devices: number;
  readonly model: ModelName;
  readonly memoryBytes?: number;
}): WorkerPlan => {
  const memory = input.memoryBytes ?? process.availableMemory();
  const fitting = Math.floor(memory / workerBytes(input.model));
  return {
    workers: Math.max(1, Math.min(Math.floor(input.cores), input.devices, fitting)),
    threadsPerWorker: 1,
  };
};

/** Devices in turn to at most `workers` hands; no hand is empty. */
const deal = (devices: readonly VirtualDevice[], workers: number): readonly (readonly VirtualDevice[])[] => {
  const hands = Array.from(
    { length: Math.min(Math.max(1, workers), devices.length) },
    () => [] as VirtualDevice[],
  );
  devices.forEach((device, i) => {
    hands[i % hands.length]!.push(device);
  });
  return hands;
};

const givenUp = (devices: readonly VirtualDevice[], death: WorkerDeath): UserError => {
  const names = devices.slice(0, 3).map((device) => device.name);
  const more = devices.length > 3 ? ` and ${devices.length - 3} more` : "";
  const output =
    death.output.length > 0 ? `\nThe end of its output:\n${death.output.slice(-10).join("\n")}` : "";
  return new UserError(
    `the worker of ${names.join(", ")}${more} died five times in a row without finishing an update: ${death.cause}. Run fedfleet doctor, or use fewer virtual devices.${output}`,
    { exitCode: 1 },
  );
};

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
