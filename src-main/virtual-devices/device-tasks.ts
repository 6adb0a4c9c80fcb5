import type { Dataset } from "#contract/dataset.ts";
import type { Release, Slots } from "#contract/slots.ts";
import { byteLength, type NamedTensor, type Tensor } from "#contract/tensor.ts";
import { decodeServerMessage } from "#main/wire/messages.ts";
import type { ClientMessageOut, Config, ConfigOut, Dialect } from "#main/wire/protocol.ts";
import type { Clock, Learner, Models } from "./device-rooms.ts";
import { assembleWeights } from "./device-weights.ts";
import { causeOf, evaluateFailed, fitFailed } from "./failed-answers.ts";
import { type Incoming, SMALL_MESSAGE_BYTES } from "./flower-connection.ts";
import type { KeptState } from "./kept-state.ts";
import {
  BadInstruction,
  type CommonInstruction,
  type EvaluationInstruction,
  type FitInstruction,
  parseEvaluationInstruction,
  parseFitInstruction,
} from "./parse-instruction.ts";
import { drawFault } from "./simulated-faults.ts";
import type { FleetTask, VirtualDevice } from "./worker-messages.ts";

/** What all devices of one worker process share. */
export interface SharedByDevices {
  readonly task: FleetTask;
  readonly data: Dataset;
  readonly learner: Learner;
  readonly models: Models;
  readonly kept: KeptState;
  /** One device computes at a time; large messages come in only with this slot. */
  readonly compute: Slots;
  /** Finished large updates that may wait for their upload. */
  readonly uploads: Slots;
  /** Finished large updates of slow devices that may wait until their device has been slow enough. */
  readonly asleep: Slots;
  readonly clock: Clock;
  /** Ends the process at once, as a crash does. Does not return. */
  readonly crash: () => never;
  readonly onProgress: (device: string, run: string, round: number, fraction: number) => void;
  /** A training begins that will end in a simulated mishap. */
  readonly onFaultAhead: (device: string, fault: "drop" | "crash") => void;
}

/** What becomes of an instruction. */
export type Outcome =
  | {
      readonly kind: "answer";
      readonly message: ClientMessageOut;
      /** To be called when the message has left, or never will. */
      readonly sent: Release;
    }
  /** A simulated drop-out: the connection is cut already. */
  | { readonly kind: "dropped" }
  /** The connection ended, or the fleet is stopping. */
  | { readonly kind: "lost" }
  | { readonly kind: "reconnect"; readonly seconds: number };

export interface DeviceTasks {
  /**
   * Does what the server asked for.
   * @param signal aborts when the connection ends or the fleet stops
   * @param cut breaks the connection off, for a simulated drop-out
   * @throws WireError when the bytes are not a message of the protocol
   */
  carryOut(incoming: Incoming, dialect: Dialect, signal: AbortSignal, cut: () => void): Promise<Outcome>;
}

const OK = { code: 0, message: "" };
/** Time for a large update to leave before the next device may compute. */
const UPLOAD_HEAD_START_MS = 2000;
/** A simulated mishap strikes in the middle of the training. */
const MISHAP_AT = 0.5;

const nothing = (): void => {};

/** What one virtual device does when the server asks: properties, parameters, fit, evaluate. */
export const createDeviceTasks = (device: VirtualDevice, shared: SharedByDevices): DeviceTasks => {
  const { task, data, learner, models, kept, clock } = shared;
  const normalisation = { mean: data.mean, std: data.std };
  const ports = { device: device.name, models, kept };
  const label: ConfigOut = { device: { kind: "string", value: device.name } };

  /** Waits for the upload's turn and gives the compute slot to the next device. */
  const leaveSlot = async (
    bytes: number,
    computeMs: number,
    compute: Release,
    signal: AbortSignal,
  ): Promise<Release> => {
    const large = bytes > SMALL_MESSAGE_BYTES;
    let awake: Release = nothing;
    if (device.profile.slowness > 1) {
      // A worker has memory for few updates only: without room for this one, no device may make the next.
      if (large) awake = await shared.asleep.acquire(signal);
      compute();
      await clock.sleep((device.profile.slowness - 1) * computeMs, signal);
    }
    if (!large) {
      compute();
      signal.throwIfAborted();
      return nothing;
    }
    // Large updates hold the slot back while too many finished ones are in memory, and then until they have left:
    // between the steps of the next training this process hardly gets to send. A server that does not read yet
    // must not stop the training, though.
    const upload = await shared.uploads.acquire(signal).finally(awake);
    clock.sleep(UPLOAD_HEAD_START_MS, signal).then(compute, compute);
    return () => {
      upload();
      compute();
    };
  };

  const runTraining = async (
    instruction: FitInstruction,
    weights: NamedTensor[],
    signal: AbortSignal,
    mishap: () => void,
  ) => {
    const { run, round } = instruction;
    shared.onProgress(device.name, run, round, 0);
    const trained = await learner.train({
      ...normalisation,
      weights,
      recipe: instruction,
      images: data.train,
      indices: device.trainIndices,
      signal,
      onProgress: (fraction) => {
        // The learner has made its own of them; the message that they are views of can go.
        weights.length = 0;
        if (fraction >= MISHAP_AT) mishap();
        if (!signal.aborted) shared.onProgress(device.name, run, round, fraction);
      },
    });
    mishap(); // a training of one batch reports no progress
    return trained;
  };

  const train = async (
    job: { readonly instruction: FitInstruction; readonly weights: NamedTensor[] },
    compute: Release,
    signal: AbortSignal,
    cut: () => void,
  ): Promise<Outcome> => {
    const { instruction } = job;
    if (device.trainIndices.length === 0) throw new BadInstruction("it holds no training samples");
    const seeds = { study: task.seed, initSeed: instruction.initSeed };
    const fault = drawFault(seeds, device.name, instruction.round, device.profile);
    if (fault !== "none") shared.onFaultAhead(device.name, fault);
    let dropped = false;
    const mishap = () => {
      if (fault === "crash") shared.crash();
      if (fault !== "drop" || dropped) return;
      dropped = true;
      cut();
    };
    const startedAt = clock.now();
    let trained: Awaited<ReturnType<Learner["train"]>>;
    try {
      trained = await runTraining(instruction, job.weights, signal, mishap);
    } catch (error) {
      if (dropped) return { kind: "dropped" };
      throw error;
    }
    if (dropped) return { kind: "dropped" };
    signal.throwIfAborted();
    const computeMs = clock.now() - startedAt;
    const stays = new Set(instruction.keeps);
    if (stays.size > 0) {
      const keeps = trained.weights.filter((t) => stays.has(t.name));
      await kept.save(instruction.run, device.name, instruction.round, keeps, instruction.keptFrom);
    }
    const parameters = trained.weights.filter((t) => !stays.has(t.name));
    const { examples, loss, accuracy } = trained;
    const message: ClientMessageOut = {
      kind: "fit",
      status: OK,
      parameters,
      examples,
      metrics: {
        loss: { kind: "double", value: loss },
        accuracy: { kind: "double", value: accuracy },
        compute_ms: { kind: "double", value: computeMs },
        ...label,
      },
    };
    const bytes = parameters.reduce((n, t: Tensor) => n + byteLength(t.dtype, t.shape), 0);
    return { kind: "answer", message, sent: await leaveSlot(bytes, computeMs, compute, signal) };
  };

  const evaluate = async (
    job: { readonly instruction: EvaluationInstruction; readonly weights: readonly NamedTensor[] },
    compute: Release,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    if (device.testIndices.length === 0) throw new BadInstruction("it holds no test samples");
    const { model, numClasses, feature, task: judgedAs } = job.instruction;
    const startedAt = clock.now();
    const figures = await learner.evaluate({
      ...normalisation,
      weights: job.weights,
      model,
      numClasses,
      feature,
      task: judgedAs,
      test: data.test,
      indices: device.testIndices,
      signal,
    });
    const computeMs = clock.now() - startedAt;
    const { loss = Number.NaN, ...metrics } = figures.metrics;
    const message: ClientMessageOut = {
      kind: "evaluate",
      status: OK,
      loss,
      examples: figures.examples,
      metrics: {
        ...asDoubles(metrics),
        ...(figures.perClass === undefined
          ? {}
          : { correct: { kind: "int", value: figures.perClass.reduce((n, c) => n + c.correct, 0) } }),
        compute_ms: { kind: "double", value: computeMs },
        ...label,
      },
    };
    return { kind: "answer", message, sent: await leaveSlot(0, computeMs, compute, signal) };
  };

  const computing = async (
    failed: (cause: string) => ClientMessageOut,
    slot: Release | undefined,
    signal: AbortSignal,
    work: (compute: Release) => Promise<Outcome>,
  ): Promise<Outcome> => {
    let compute: Release = slot ?? nothing;
    try {
      compute = slot ?? (await shared.compute.acquire(signal));
      const outcome = await work(compute);
      // An answer gives the slot up itself, when it has left.
      if (outcome.kind !== "answer") compute();
      return outcome;
    } catch (error) {
      compute();
      if (signal.aborted) return { kind: "lost" };
      return { kind: "answer", message: failed(causeOf(error)), sent: nothing };
    }
  };

  const answer = (message: ClientMessageOut): Outcome => ({ kind: "answer", message, sent: nothing });

  return {
    async carryOut(incoming, dialect, signal, cut) {
      const box = open(incoming, dialect);
      const what = box.message.kind;
      switch (what) {
        case "reconnect":
          return { kind: "reconnect", seconds: box.message.seconds };
        case "getProperties": {
          const properties: ConfigOut = {
            ...label,
            training_examples: { kind: "int", value: device.trainIndices.length },
            test_examples: { kind: "int", value: device.testIndices.length },
          };
          return answer({ kind: "properties", status: OK, properties });
        }
        case "getParameters": {
          const parameters = models.initialWeights(task.model, task.numClasses, task.seed);
          return answer({ kind: "parameters", status: OK, parameters });
        }
        case "fit":
          return await computing(fitFailed(label), incoming.slot, signal, async (compute) =>
            train(await prepare(box, parseFitInstruction, ports), compute, signal, cut),
          );
        case "evaluate":
          return await computing(evaluateFailed(label), incoming.slot, signal, async (compute) =>
            evaluate(await prepare(box, parseEvaluationInstruction, ports), compute, signal),
          );
      }
    },
  };
};

const asDoubles = (metrics: Readonly<Record<string, number>>): ConfigOut =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, { kind: "double", value }]));

interface Box {
  message: ReturnType<typeof decodeServerMessage>;
}

/** Decodes a message and lets go of its bytes: only the message's tensors hold them now. */
const open = (incoming: Incoming, dialect: Dialect): Box => {
  const { bytes } = incoming;
  if (bytes === undefined) throw new Error("a message is opened once");
  incoming.bytes = undefined;
  return { message: decodeServerMessage(dialect, bytes) };
};

/**
 * Turns a message into what the learner takes, and lets go of the message. A function of its own, so that nothing of
 * the message stays alive in the frame of a caller that waits for the training.
 */
const prepare = async <T extends CommonInstruction>(
  box: Box,
  parse: (config: Config) => T,
  ports: Parameters<typeof assembleWeights>[2],
): Promise<{ instruction: T; weights: NamedTensor[] }> => {
  const { message } = box;
  if (message.kind !== "fit" && message.kind !== "evaluate")
    throw new Error(`cannot prepare ${message.kind}`);
  box.message = { kind: "reconnect", seconds: 0 };
  const instruction = parse(message.config);
  return { instruction, weights: await assembleWeights(instruction, message.parameters, ports) };
};
