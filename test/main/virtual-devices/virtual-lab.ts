import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DatasetLocation } from "#contract/dataset.ts";
import type { LabEventBody, TrainingProgress } from "#contract/events.ts";
import type { Failure } from "#contract/failure.ts";
import type { ModelName, Recipe } from "#contract/jobs.ts";
import type { NamedTensor, Tensor } from "#contract/tensor.ts";
import { type Aggregator, createAggregator, type Session } from "#main/aggregator/aggregator.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import {
  createVirtualDevices,
  type FaultProfile,
  type VirtualDevices,
} from "#main/virtual-devices/virtual-devices.ts";
import type { Config, Dialect, ServerMessage } from "#main/wire/protocol.ts";

/** The worker root that the lab itself starts. */
export const REAL_WORKER = new URL("../../../src-main/processes/device-worker.ts", import.meta.url);
export const SAMPLE: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: fileURLToPath(new URL("../../../resources/data/fashion-mnist-sample", import.meta.url)),
};
export const CALM: FaultProfile = { slowness: 1, dropOut: 0, crash: 0 };

export interface FitAnswer {
  readonly device: string;
  readonly parameters: readonly Tensor[];
  readonly examples: number;
  readonly metrics: Config;
}

export interface FleetLab {
  readonly aggregator: Aggregator;
  readonly fleet: VirtualDevices;
  readonly events: LabEventBody[];
  /** What devices told of their trainings. */
  readonly trainings: readonly TrainingProgress[];
  readonly keptDir: string;
  readonly recipe: (round: number, device: string, more?: Partial<Recipe>) => Recipe;
  /** Resolves when this many devices are connected. */
  joined(count: number): Promise<readonly Session[]>;
  fit(
    session: Session,
    recipe: Recipe,
    weights: readonly NamedTensor[],
  ): Promise<{ ok: true; value: FitAnswer } | { ok: false; failure: Failure }>;
  evaluate(session: Session, instruction: object, weights: readonly NamedTensor[]): Promise<EvaluateAnswer>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface EvaluateAnswer {
  readonly loss: number;
  readonly examples: number;
  readonly metrics: Config;
  readonly status: { readonly code: number; readonly message: string };
}

/** A server and a virtual fleet, wired as the lab wires them. */
export const openFleetLab = async (options: {
  readonly devices: number;
  readonly workers: number;
  readonly entry?: URL;
  readonly model?: ModelName;
  readonly samples?: number;
  readonly profile?: (i: number) => FaultProfile;
  readonly dialect?: Dialect;
  readonly dataset?: DatasetLocation;
  readonly keptDir?: string;
  readonly seed?: number;
  readonly onGivenUp?: (error: Error) => void;
}): Promise<FleetLab> => {
  const model = options.model ?? "Net";
  const samples = options.samples ?? 50;
  const events: LabEventBody[] = [];
  const trainings: TrainingProgress[] = [];
  const emit = (event: LabEventBody) => {
    events.push(event);
  };
  const aggregator = createAggregator({ emit, admission: { kind: "allow", addresses: [] } });
  const server = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  const own = options.keptDir === undefined;
  const keptDir = options.keptDir ?? mkdtempSync(join(tmpdir(), "fedfleet-kept-"));
  const fleet = createVirtualDevices({
    fork: forkNode,
    entry: options.entry ?? REAL_WORKER,
    workers: options.workers,
    threadsPerWorker: 1,
    emit,
    onTraining: (progress) => trainings.push(progress),
    ...(options.onGivenUp === undefined ? {} : { onGivenUp: options.onGivenUp }),
  });
  const names = Array.from({ length: options.devices }, (_, i) => `virtual-${i + 1}`);
  const start = () =>
    fleet.start({
      server,
      dataset: options.dataset ?? SAMPLE,
      model,
      numClasses: 10,
      keptDir,
      seed: options.seed ?? 1,
      ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
      devices: names.map((name, i) => ({
        name,
        ticket: aggregator.issueTicket(name),
        trainIndices: Array.from({ length: samples }, (_, k) => i + k * options.devices),
        testIndices: Array.from({ length: 10 }, (_, k) => i + k * options.devices),
        profile: options.profile?.(i) ?? CALM,
      })),
    });

  const joined = async (count: number) => {
    while (aggregator.sessions().length < count) await changed(aggregator);
    return aggregator.sessions().toSorted((a, b) => (a.device < b.device ? -1 : 1));
  };

  return {
    aggregator,
    fleet,
    events,
    trainings,
    keptDir,
    start,
    joined,
    recipe: (round, device, more = {}) => ({
      round,
      model,
      numClasses: 10,
      localEpochs: 1,
      batchSize: 25,
      optimizer: { kind: "sgd", lr: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0 },
      loss: { kind: "ce" },
      feature: { kind: "plain" },
      seed: round * 1000 + Number(device.split("-")[1]),
      keeps: [],
      keptFrom: 0,
      initSeed: 7,
      run: "r-test",
      ...more,
    }),
    async fit(session, recipe, weights) {
      const reply = await session.request(fitMessage(recipe, weights));
      if (!reply.ok) return reply;
      const { message } = reply.value;
      if (message.kind !== "fit") throw new Error(`answered with ${message.kind}`);
      if (message.status.code !== 0) {
        reply.value.release();
        return { ok: false, failure: { code: "client-error", stage: "fit", cause: message.status.message } };
      }
      const parameters = message.parameters.map((t) => ({ ...t, bytes: t.bytes.slice() }));
      const { examples, metrics } = message;
      reply.value.release();
      return { ok: true, value: { device: session.device, parameters, examples, metrics: { ...metrics } } };
    },
    async evaluate(session, instruction, weights) {
      const reply = await session.request({
        kind: "evaluate",
        parameters: weights,
        config: { fedfleet: { kind: "string", value: JSON.stringify(instruction) } },
      });
      if (!reply.ok) throw new Error(reply.failure.cause);
      const { message } = reply.value;
      if (message.kind !== "evaluate") throw new Error(`answered with ${message.kind}`);
      const { loss, examples, metrics, status } = message;
      reply.value.release();
      return { loss, examples, metrics, status };
    },
    async close() {
      await aggregator.close({ deadlineMs: 1000 });
      await fleet.stop();
      if (own) await rm(keptDir, { recursive: true, force: true });
    },
  };
};

export const fitMessage = (recipe: Recipe, weights: readonly NamedTensor[]): ServerMessage => {
  const keeps = new Set(recipe.keeps);
  return {
    kind: "fit",
    parameters: weights.filter((t) => !keeps.has(t.name)),
    config: { fedfleet: { kind: "string", value: JSON.stringify(recipe) } },
  };
};

export const firstWeights = (model: ModelName = "Net"): NamedTensor[] => initialWeights(model, 10, 7);
export const parameterNames = (model: ModelName = "Net"): string[] =>
  modelParameters(model, 10).map((spec) => spec.name);

export const changed = (aggregator: Aggregator): Promise<void> =>
  new Promise((resolve) => {
    const unsubscribe = aggregator.onChange(() => {
      unsubscribe();
      resolve();
    });
  });

export const sha256Of = (tensors: readonly Tensor[]): string => {
  const hash = createHash("sha256");
  for (const tensor of tensors) hash.update(tensor.bytes);
  return hash.digest("hex");
};

export const until = async (condition: () => boolean, ms = 20_000): Promise<void> => {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** Waits until a value has stayed the same for ten looks in a row: nothing is on its way any more. */
export const steady = async (value: () => number): Promise<void> => {
  let last = value();
  let same = 0;
  await until(() => {
    same = value() === last ? same + 1 : 0;
    last = value();
    return same >= 10;
  });
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
