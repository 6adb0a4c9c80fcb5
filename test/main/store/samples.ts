import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Partition } from "#contract/dataset.ts";
import type { ClientUpdate, RoundResult } from "#contract/events.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import { parseStudy, type Study } from "#contract/study.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import { float32Tensor, type NamedTensor } from "#contract/tensor.ts";

/** A folder of this test's own, and how to be rid of it. */
export const temporaryFolder = (): { path: string; remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), "fedfleet-store-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

export const sampleStudy = (changes: Record<string, unknown> = {}): Study => {
  const parsed = parseStudy({
    name: "sample",
    dataset: "fashion-mnist-sample",
    model: "Net",
    algorithms: ["fedavg", "fedntd"],
    fleet: { virtual: 4 },
    rounds: 3,
    optimizer: { lr: 0.05 },
    trials: 2,
    ...changes,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};

export const sampleEngine: EngineInfo = { kind: "wasm", version: "4.22.0", path: "/engine", threads: 2 };

export const samplePartition = (seed = 0): Partition => {
  const train = [
    [seed, seed + 1],
    [seed + 2, seed + 5],
  ];
  return {
    kind: "iid",
    train,
    test: [[0], [1]],
    histogram: [
      [1, 1],
      [2, 0],
    ],
    sha256: createHash("sha256").update(JSON.stringify(train)).digest("hex"),
  };
};

/** The metrics of every sample study, the primary one first. */
export const sampleMetrics = metricsOf(sampleStudy());

export const plannedRuns = [
  { algorithm: "fedavg", trial: 1, seed: 1 },
  { algorithm: "fedntd", trial: 1, seed: 1 },
  { algorithm: "fedavg", trial: 2, seed: 4_294_967_295 },
  { algorithm: "fedntd", trial: 2, seed: 4_294_967_295 },
];

export const sampleUpdate = (device: string, changes: Partial<ClientUpdate> = {}): ClientUpdate => ({
  device,
  status: "folded",
  examples: 600,
  bytesDown: 248_024,
  bytesUp: 248_024,
  timing: { downloadMs: 3.25, computeMs: 812.125, uploadMs: 2.5, waitMs: 0.1 + 0.2 },
  metrics: { loss: 0.1 + 0.7, accuracy: 1 / 3, note: "fine", cached: true },
  ...changes,
});

export const sampleRound = (round: number, changes: Partial<RoundResult> = {}): RoundResult => ({
  round,
  metrics: { accuracy: 1 - 0.9 / (round + 1), loss: Math.LN10 / (round + 1) },
  central: { metrics: { loss: 0.1, accuracy: 0.5 }, examples: 1000, perClass: [{ correct: 1, total: 2 }] },
  clients: ["virtual-1", "virtual-2"],
  drawn: ["virtual-1", "virtual-2", "virtual-3"],
  failures: [{ code: "deadline", device: "virtual-3", stage: "fit", cause: "it took longer than 600 s" }],
  examples: 1200,
  weightsSha256: createHash("sha256").update(`weights ${round}`).digest("hex"),
  startedAt: "2026-01-02T03:04:05.678Z",
  seconds: 1.2345678901234567,
  notes: { serverStep: 1.25 },
  updates: [sampleUpdate("virtual-1"), sampleUpdate("virtual-2", { examples: 600.5 })],
  evaluations: [{ device: "virtual-1", examples: 100, metrics: { loss: 0.3, accuracy: 0.9 } }],
  ...changes,
});

export const sampleTensors = (round: number): NamedTensor[] => [
  {
    name: "conv1.weight",
    ...float32Tensor(
      [2, 3],
      Float32Array.from({ length: 6 }, (_, i) => i + round),
    ),
  },
  {
    name: "bn1.num_batches_tracked",
    dtype: "int64",
    shape: [],
    bytes: new Uint8Array(BigInt64Array.of(BigInt(round)).buffer),
  },
];
