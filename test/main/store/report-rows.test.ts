import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "#main/store/store.ts";
import {
  plannedRuns,
  sampleEngine,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  temporaryFolder,
} from "./samples.ts";

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;

beforeEach(() => {
  folder = temporaryFolder();
  store = openStore({ dataDir: folder.path });
});
afterEach(() => {
  store.close();
  folder.remove();
});

test("rounds as reports read them say the same as their records, also of a run that diverged", async () => {
  const { runs } = store.studies.create({
    study: sampleStudy(),
    partition: samplePartition(),
    classes: ["shirt", "shoe"],
    datasetSha: "ab12",
    engine: sampleEngine,
    runs: plannedRuns,
  });
  const run = runs[0]!.id;
  expect(store.reportRows.firstWeights(run)).toBeUndefined();
  const figures = [
    { loss: 0.1 + 0.2, accuracy: 1 / 3 },
    { loss: null, accuracy: null },
    { loss: Number.NaN, accuracy: 0.1 },
    { loss: Number.POSITIVE_INFINITY, accuracy: null },
  ];
  for (const [round, figure] of figures.entries()) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round, { metrics: figure }), checkpoint });
  }
  expect(store.reportRows.rounds(run)).toEqual(
    store.rounds.of(run).map(({ round, metrics, clients, failures, examples, seconds, weightsSha256 }) => ({
      round,
      metrics,
      clients: clients.length,
      failures: failures.length,
      examples,
      seconds,
      weightsSha256,
    })),
  );
  expect(store.reportRows.firstWeights(run)).toBe(sampleRound(0).weightsSha256);
});

test("a study as reports read it", () => {
  const { id } = store.studies.create({
    study: sampleStudy(),
    partition: samplePartition(),
    classes: ["shirt", "shoe"],
    datasetSha: "ab12",
    engine: sampleEngine,
    runs: plannedRuns,
  });
  expect(store.reportRows.study(id)).toEqual({
    id,
    name: "sample",
    settings: sampleStudy(),
    classes: ["shirt", "shoe"],
    partitionSha: samplePartition().sha256,
    datasetSha: "ab12",
    engine: sampleEngine,
  });
  expect(store.reportRows.study("s-none")).toBeUndefined();
});
