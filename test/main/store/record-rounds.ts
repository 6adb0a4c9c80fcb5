import { createHash } from "node:crypto";
import type { NamedTensor } from "#contract/tensor.ts";
import { weightsSha256 } from "#main/store/safetensors.ts";
import { openStore } from "#main/store/store.ts";
import {
  plannedRuns,
  sampleEngine,
  sampleMetrics,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleUpdate,
} from "./samples.ts";

/**
 * Records rounds for ever, going on where the folder's record ends: what the crash test kills.
 * The weights of a round follow from those of the round before, so a round that was lost would show.
 */
const at = new Date().toISOString();
const store = openStore({ dataDir: process.argv[2]! });
process.stdout.write("open\n");

const next = (seed: Uint8Array, round: number): NamedTensor[] => {
  const key = createHash("sha256").update(seed).update(String(round)).digest();
  const bytes = new Uint8Array(800_000);
  for (let i = 0; i < bytes.length; i++) bytes[i] = key[i % 32]! ^ (i >> 5);
  return [{ name: "weights", dtype: "uint8", shape: [bytes.length], bytes }];
};

const interrupted = store.studies.latestInterrupted();
const study =
  interrupted?.id ??
  store.studies.create({
    study: sampleStudy(),
    partition: samplePartition(),
    classes: [],
    engine: sampleEngine,
    runs: plannedRuns,
  }).id;
const run = store.studies.require(study).runs[0]!.id;
if (interrupted) store.record({ at, kind: "study-resumed", study, name: "" });
else store.record({ at, kind: "study-started", study, name: "", runs: 4, engine: sampleEngine });

const last = store.rounds.last(run);
// a kill may have come between a round and its pruning
await store.checkpoints.prune(run, sampleMetrics);
let tensors =
  last === undefined
    ? next(new Uint8Array(), 0)
    : [...(await store.checkpoints.read(last.checkpoint.path)).tensors];
store.record({
  at,
  kind: "run-started",
  study,
  run,
  algorithm: "fedavg",
  trial: 1,
  rounds: 100_000,
  fromRound: (last?.round ?? 0) + 1,
});
for (let round = (last?.round ?? 0) + 1; ; round++) {
  tensors = next(tensors[0]!.bytes, round);
  const updates = ["a", "b", "c"].map((device) => sampleUpdate(device, { examples: round }));
  for (const update of updates) store.record({ at, kind: "client-update", run, round, update });
  const checkpoint = await store.checkpoints.write(run, round, tensors, { round: String(round) });
  const result = sampleRound(round, { updates, weightsSha256: await weightsSha256(tensors) });
  store.recordRound({ run, result, checkpoint });
  process.stdout.write(`${round}\n`);
  if (round % 3 === 0) await store.checkpoints.prune(run, sampleMetrics);
}
