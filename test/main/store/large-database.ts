import { performance } from "node:perf_hooks";
import { openStore } from "#main/store/store.ts";
import {
  sampleEngine,
  sampleMetrics,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  sampleUpdate,
  temporaryFolder,
} from "./samples.ts";

/**
 * How long a page waits when the database is large: 10 studies × 6 runs × 500 rounds × 20 devices, 600,000 updates.
 * `node test/main/store/large-database.ts [STUDIES] [FOLDER]` prints a line per question; a few minutes for the
 * whole size. With a FOLDER the database stays there, and is asked again without being filled when it is there already.
 */
const studies = Number(process.argv[2] ?? 10);
const [ROUNDS, DEVICES, RUNS] = [500, 20, 6];
const at = "2026-01-02T03:04:05.678Z";
const folder =
  process.argv[3] === undefined ? temporaryFolder() : { path: process.argv[3], remove: () => {} };
const store = openStore({ dataDir: folder.path });
const filled = store.studies.list().length;
const devices = Array.from({ length: DEVICES }, (_, i) => `virtual-${i + 1}`);
const plan = Array.from({ length: RUNS }, (_, i) => ({
  algorithm: i % 2 ? "fedntd" : "fedavg",
  trial: (i >> 1) + 1,
  seed: i >> 1,
}));

const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
const report = (what: string, values: number[]) =>
  console.log(
    `${what.padEnd(48)} p50 ${percentile(values, 0.5).toFixed(2)} ms  p99 ${percentile(values, 0.99).toFixed(2)} ms  max ${percentile(values, 1).toFixed(1)} ms`,
  );
const timed = (values: number[], work: () => unknown) => {
  const begin = performance.now();
  work();
  values.push(performance.now() - begin);
};

const perUpdate: number[] = [];
const perRound: number[] = [];
for (let s = filled; s < studies; s++) {
  const { id, runs } = store.studies.create({
    study: sampleStudy({ name: `study ${s}` }),
    partition: samplePartition(s),
    classes: [],
    engine: sampleEngine,
    runs: plan,
  });
  for (const { id: run } of runs) {
    for (let round = 1; round <= ROUNDS; round++) {
      const updates = devices.map((device) => sampleUpdate(device));
      for (const update of updates) {
        timed(perUpdate, () => store.record({ at, kind: "client-update", run, round, update }));
      }
      const result = sampleRound(round, { clients: devices, drawn: devices, updates });
      const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
      timed(perRound, () => store.recordRound({ at, run, result, checkpoint }));
    }
    await store.checkpoints.prune(run, sampleMetrics);
    store.runs.setStatus(run, "done");
  }
  store.studies.setStatus(id, "done");
  console.error(`${s + 1} of ${studies} studies`);
}
if (perRound.length > 0) {
  report("record a client-update", perUpdate);
  report(`record a round of ${DEVICES} updates`, perRound);
}

const ask = (what: string, question: () => unknown) => {
  const values: number[] = [];
  for (let i = 0; i < 50; i++) timed(values, question);
  report(what, values);
};
const study = store.studies.list()[studies >> 1]!.id;
const middle = store.runs.of(study)[0]!.id;
ask("list of studies", () => store.studies.list());
ask("one study with its runs", () => store.studies.get(study));
ask(`one run's curve (${ROUNDS} rounds)`, () => store.rounds.columns(middle));
ask("six curves", () => store.runs.of(study).map((run) => store.rounds.columns(run.id)));
ask("one round's updates", () => store.rounds.updates(middle, 250));
ask("one round's record", () => store.rounds.get(middle, 250));
ask("the last round", () => store.rounds.last(middle));
ask(`all ${ROUNDS} records of a run`, () => store.rounds.of(middle));
ask("100 events after one in the middle", () => store.events({ after: studies * 30_000, limit: 100 }));
ask("100 events of a study", () => store.events({ study, after: studies * 30_000, limit: 100 }));
ask("a device's 100 newest updates", () => store.devices.history("virtual-7", 100));
const fleet = Array.from({ length: 200 }, (_, i) => `virtual-${i + 1}`);
for (const name of fleet) store.devices.upsert({ name, kind: "virtual" }, at);
ask("the last update of 200 devices", () => store.devices.lastUpdates());
const everyRun = store.studies.list().flatMap(({ id }) => store.runs.of(id).map((run) => run.id));
ask("the figures of all runs for a report", () => everyRun.map(store.reportRows.rounds));
const closing: number[] = [];
timed(closing, () => store.close());
const opening: number[] = [];
timed(opening, () => openStore({ dataDir: folder.path }).close());
report("close", closing);
report("open and close again", opening);
folder.remove();
