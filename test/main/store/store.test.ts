import { copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LabEvent, RoundResult, RoundSummary } from "#contract/events.ts";
import type { MetricValues } from "#contract/metrics.ts";
import { openStore, type Store } from "#main/store/store.ts";
import {
  plannedRuns,
  sampleEngine,
  sampleMetrics,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  sampleUpdate,
  temporaryFolder,
} from "./samples.ts";

const at = "2026-01-02T03:04:05.678Z";
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

const summaryOf = ({ updates: _, evaluations: __, ...summary }: RoundResult): RoundSummary => summary;

const reopen = (): Store => {
  store.close();
  store = openStore({ dataDir: folder.path });
  return store;
};

const createStudy = (name = "sample", partition = samplePartition()) =>
  store.studies.create({
    study: sampleStudy({ name }),
    partition,
    classes: ["shirt", "shoe"],
    datasetSha: "ab12",
    engine: sampleEngine,
    runs: plannedRuns,
  });

test("a study comes back as it was created, with short ids and its runs in order", () => {
  const created = createStudy();
  expect(created.id).toMatch(/^s-[2-9b-z]{6}$/);
  expect(new Set(created.runs.map((r) => r.id)).size).toBe(4);
  for (const run of created.runs) expect(run.id).toMatch(/^r-[2-9b-z]{6}$/);
  reopen();
  const study = store.studies.require(created.id);
  expect(study.study).toEqual(sampleStudy());
  expect(study.partition).toEqual(samplePartition());
  expect(study.engine).toEqual(sampleEngine);
  expect(study.datasetSha).toBe("ab12");
  expect(study.classes).toEqual(["shirt", "shoe"]);
  expect(study.name).toBe("sample");
  expect(study.runs.map(({ id, algorithm, trial, seed }) => ({ id, algorithm, trial, seed }))).toEqual(
    created.runs,
  );
});

test("creating a study is one transaction: a run that cannot be added leaves nothing", () => {
  const twice = [plannedRuns[0]!, plannedRuns[0]!];
  expect(() =>
    store.studies.create({
      study: sampleStudy(),
      classes: [],
      partition: samplePartition(),
      engine: sampleEngine,
      runs: twice,
    }),
  ).toThrow(/UNIQUE/);
  expect(store.studies.list()).toEqual([]);
  const db = new DatabaseSync(join(folder.path, "fedfleet.db"));
  expect(db.prepare("SELECT count(*) AS n FROM partitions").get()).toEqual({ n: 0 });
  db.close();
});

test("studies are listed newest first with how far they are, and share a partition's row", () => {
  const a = createStudy("a");
  const b = createStudy("b");
  createStudy("c", samplePartition(7));
  store.runs.setStatus(a.runs[0]!.id, "done");
  expect(store.studies.list().map((s) => [s.name, s.status, s.runs, s.runsDone])).toEqual([
    ["c", "waiting", 4, 0],
    ["b", "waiting", 4, 0],
    ["a", "waiting", 4, 1],
  ]);
  expect(store.studies.list(1)).toHaveLength(1);
  const db = new DatabaseSync(join(folder.path, "fedfleet.db"));
  expect(db.prepare("SELECT count(*) AS n FROM partitions").get()).toEqual({ n: 2 });
  db.close();
  expect(() => store.studies.require("s-nope")).toThrow(`The newest are`);
  expect(() => store.studies.require("s-nope")).toThrow(`${b.id} (b)`);
});

test("rounds come back bit for bit, whatever numbers a diverged run has", async () => {
  const run = createStudy().runs[0]!.id;
  const rounds = [
    sampleRound(0, { updates: [], metrics: { accuracy: null, loss: null } }),
    sampleRound(1),
    sampleRound(2, {
      metrics: { accuracy: -0, loss: Number.NaN },
      updates: [
        sampleUpdate("virtual-2", {
          status: "refused",
          metrics: { loss: Number.POSITIVE_INFINITY, zero: -0, odd: "\u0000NaN", tiny: 5e-324 },
          failure: { code: "not-finite", device: "virtual-2", stage: "upload", cause: "NaN in fc3.bias" },
        }),
      ],
    }),
  ];
  for (const result of rounds) {
    const checkpoint = await store.checkpoints.write(run, result.round, sampleTensors(result.round));
    store.recordRound({ run, result, checkpoint });
  }
  reopen();
  expect(store.rounds.of(run)).toStrictEqual(rounds);
  expect(JSON.stringify(store.rounds.of(run))).toBe(JSON.stringify(rounds));
  expect(store.rounds.get(run, 1)).toStrictEqual(rounds[1]);
  expect(store.rounds.get(run, 9)).toBeUndefined();
  expect(store.rounds.columns(run)).toMatchObject({
    round: [0, 1, 2],
    metrics: {
      accuracy: [null, rounds[1]!.metrics.accuracy, 0],
      loss: [null, rounds[1]!.metrics.loss, null],
    },
  });
  const last = store.rounds.last(run)!;
  expect(last.round).toBe(2);
  expect(last.weightsSha256).toBe(rounds[2]!.weightsSha256);
  expect((await store.checkpoints.read(last.checkpoint.path)).tensors).toEqual(sampleTensors(2));
  expect(store.rounds.last("r-none")).toBeUndefined();
});

test("each event is a row and what it changes", async () => {
  const { id: study, runs } = createStudy();
  const run = runs[0]!.id;
  const engine = { ...sampleEngine, kind: "native" as const };
  const result = sampleRound(1, {
    updates: [sampleUpdate("virtual-1", { timing: { computeMs: 5, waitMs: 9 } })],
  });
  const stream: LabEvent[] = [
    { at, kind: "study-started", study, name: "sample", runs: 4, engine },
    {
      at,
      kind: "device-joined",
      device: "virtual-1",
      crew: "virtual",
      dialect: "flwr",
      address: "127.0.0.1:5",
    },
    { at, kind: "run-started", study, run, algorithm: "fedavg", trial: 1, rounds: 3, fromRound: 1 },
    { at, kind: "round-started", run, round: 1, drawn: ["virtual-1"] },
    { at, kind: "waiting", run, round: 1, stage: "answering", for: "virtual-1", sinceMs: 2000, next: "wait" },
    { at, kind: "client-progress", run, round: 1, device: "virtual-1", phase: "training", fraction: 0.5 },
    {
      at,
      kind: "client-update",
      run,
      round: 1,
      update: sampleUpdate("virtual-1", { timing: { computeMs: 5 } }),
    },
    { at, kind: "round-ended", run, result: summaryOf(result) },
    { at, kind: "device-left", device: "virtual-1", reason: "done" },
    { at, kind: "run-ended", study, run, status: "done", reason: "all rounds" },
    { at, kind: "study-ended", study, status: "done" },
  ];
  const checkpoint = await store.checkpoints.write(run, 1, sampleTensors(1));
  const ids = stream.map((event) =>
    event.kind === "round-ended" ? store.recordRound({ at, run, result, checkpoint }) : store.record(event),
  );
  expect(ids).toEqual([1, 2, 3, 4, 5, undefined, 6, 7, 8, 9, 10]);

  const all = store.events({ limit: 100 });
  const recorded = stream.filter((event) => event.kind !== "client-progress");
  // the update's event shows what was known of it when the round had ended
  const expected = recorded.map((event) =>
    event.kind === "client-update" ? { ...event, update: result.updates[0] } : event,
  );
  expect(all.map(({ id: _, ...event }) => event)).toEqual(expected);
  expect(all.map((e) => e.id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(store.events({ after: 6, limit: 2 }).map((e) => e.id)).toEqual([7, 8]);
  expect(store.events({ study, limit: 100 }).map((e) => e.id)).toEqual([1, 3, 4, 5, 6, 7, 9, 10]);
  expect(store.events({ study, after: 3, limit: 2 }).map((e) => e.id)).toEqual([4, 5]);

  const record = store.studies.require(study);
  expect(record).toMatchObject({ status: "done", engine, startedAt: at, endedAt: at });
  expect(record.runs[0]).toMatchObject({ status: "done", reason: "all rounds", lastRound: 1, engine });
  expect(record.runs[1]).not.toHaveProperty("engine");
  expect(store.devices.list()).toEqual([
    {
      name: "virtual-1",
      kind: "virtual",
      dialect: "flwr",
      address: "127.0.0.1:5",
      firstSeen: at,
      lastSeen: at,
      connected: false,
      leftReason: "done",
    },
  ]);
});

test("a study's log goes back from any of its lines without telling that line again", () => {
  const { id: study, runs } = createStudy();
  const run = runs[0]!.id;
  const joined = (device: string) =>
    store.record({ at, kind: "device-joined", device, dialect: "flwr", address: "127.0.0.1:5" });
  store.record({ at, kind: "study-started", study, name: "sample", runs: 4, engine: sampleEngine });
  for (const device of ["a", "b", "c"]) joined(device);
  const refused = { device: "a", name: "note", cause: "it is text, not a number" };
  store.record({ at, kind: "metric-refused", run, round: 1, ...refused });
  const log = store.studyLog({ study, limit: 10 });
  expect(log.map(({ kind }) => kind)).toEqual([
    "study-started",
    ...Array(3).fill("device-joined"),
    "metric-refused",
  ]);
  for (const [i, { id: before }] of log.entries()) {
    expect(store.studyLog({ study, before, limit: 10 })).toEqual(log.slice(0, i));
  }
});

test("an event of an unknown run is a bug and leaves no trace", () => {
  expect(() => store.record({ at, kind: "round-started", run: "r-none", round: 1, drawn: [] })).toThrow(
    "there is no run r-none",
  );
  expect(() => store.record({ at, kind: "study-ended", study: "s-none", status: "done" })).toThrow(
    "there is no study s-none",
  );
  expect(store.events({ limit: 10 })).toEqual([]);
});

test("a round is recorded once, with the checkpoint that was written for it, and not as a bare event", async () => {
  const run = createStudy().runs[0]!.id;
  const result = sampleRound(1);
  const checkpoint = await store.checkpoints.write(run, 1, sampleTensors(1));
  expect(() => store.record({ at, kind: "round-ended", run, result: summaryOf(result) })).toThrow(
    "recordRound",
  );
  expect(store.rounds.of(run)).toEqual([]);
  expect(store.recordRound({ run, result, checkpoint, at })).toBe(1);
  expect(store.rounds.last(run)!.checkpoint.path).toBe(checkpoint);
  expect(() => store.recordRound({ run, result: { ...result, seconds: 9 }, checkpoint, at })).toThrow(
    "or that is on record",
  );
  expect(() => store.recordRound({ run, result: sampleRound(2), checkpoint })).toThrow("was not written");
  await expect(store.checkpoints.write(run, 1, sampleTensors(1))).rejects.toThrow(
    "already has its checkpoint",
  );
  expect(store.events({ limit: 10 })).toEqual([
    { at, kind: "round-ended", run, result: summaryOf(result), id: 1 },
  ]);
  expect(store.rounds.of(run)).toStrictEqual([result]);
});

test("updates of a round that began twice, or came late, stay apart from its record", async () => {
  const run = createStudy().runs[0]!.id;
  const update = (device: string, examples: number) =>
    store.record({ at, kind: "client-update", run, round: 1, update: sampleUpdate(device, { examples }) });
  update("a", 1); // before a crash
  update("b", 2);
  expect(store.rounds.updates(run, 1).map((u) => u.examples)).toEqual([1, 2]);
  reopen();
  update("b", 3); // the round anew
  update("a", 4);
  const updates = [sampleUpdate("a", { examples: 4 }), sampleUpdate("b", { examples: 3 })];
  const result = sampleRound(1, { updates });
  const checkpoint = await store.checkpoints.write(run, 1, sampleTensors(1));
  store.recordRound({ run, result, checkpoint });
  update("c", 5); // late
  expect(store.rounds.of(run)).toStrictEqual([result]);
  expect(store.rounds.updates(run, 1)).toStrictEqual(updates);
  const examples = store
    .events({ limit: 10 })
    .flatMap((e) => (e.kind === "client-update" ? [`${e.update.device}${e.update.examples}`] : []));
  expect(examples).toEqual(["a1", "b2", "b3", "a4", "c5"]);
});

test("what a dead process left running is interrupted, and the newest such study is found", async () => {
  const a = createStudy("a");
  const b = createStudy("b");
  const done = createStudy("c");
  for (const [study, run] of [
    [a.id, a.runs[0]!.id],
    [b.id, b.runs[1]!.id],
  ] as const) {
    store.record({ at, kind: "study-started", study, name: "", runs: 4, engine: sampleEngine });
    store.record({
      at,
      kind: "run-started",
      study,
      run,
      algorithm: "fedavg",
      trial: 1,
      rounds: 3,
      fromRound: 1,
    });
  }
  store.record({ at, kind: "study-ended", study: done.id, status: "done" });
  store.record({ at, kind: "device-joined", device: "d", crew: "virtual", dialect: "flwr", address: "" });
  expect(store.studies.latestInterrupted()).toBeUndefined();
  reopen();
  const found = store.studies.latestInterrupted()!;
  expect(found.id).toBe(b.id);
  expect(found.runs.map((r) => r.status)).toEqual(["waiting", "interrupted", "waiting", "waiting"]);
  expect(found.runs[1]!.reason).toBe("the program ended unexpectedly");
  expect(store.studies.require(a.id).status).toBe("interrupted");
  expect(store.studies.require(done.id).status).toBe("done");
  expect(store.devices.list()[0]!.connected).toBe(false);
  expect(store.events({ study: b.id, limit: 10 }).map((e) => e.kind)).toEqual([
    "study-started",
    "run-started",
    "run-ended",
    "study-ended",
  ]);
  store.record({ at, kind: "study-resumed", study: b.id, name: "b" });
  expect(store.studies.latestInterrupted()!.id).toBe(a.id);
  expect(store.studies.require(b.id)).toMatchObject({ status: "running" });
  expect(store.studies.require(b.id).endedAt).toBeUndefined();
});

const endRun = (study: string, run: string, status: "done" | "failed") => {
  store.record({ at, kind: "run-started", study, run, algorithm: "a", trial: 1, rounds: 3, fromRound: 1 });
  store.record({ at, kind: "run-ended", study, run, status, reason: "" });
};

test("a study that was killed between its last run's end and its own has ended as its runs did", () => {
  const done = createStudy("done");
  const failed = createStudy("failed");
  const halfway = createStudy("halfway");
  for (const { id: study } of [done, failed, halfway]) {
    store.record({ at, kind: "study-started", study, name: "", runs: 4, engine: sampleEngine });
  }
  for (const { id: run } of done.runs) endRun(done.id, run, "done");
  for (const [i, { id: run }] of failed.runs.entries()) endRun(failed.id, run, i === 1 ? "failed" : "done");
  for (const { id: run } of halfway.runs.slice(1)) endRun(halfway.id, run, "done");
  reopen();
  const endOf = (id: string) => {
    const { status, reason, endedAt } = store.studies.require(id);
    expect(endedAt).toBeDefined();
    const last = store.events({ study: id, limit: 100 }).at(-1);
    expect(last).toMatchObject({ kind: "study-ended", study: id, status });
    return [status, reason];
  };
  expect(endOf(done.id)).toEqual(["done", undefined]);
  expect(endOf(failed.id)).toEqual(["failed", undefined]);
  expect(endOf(halfway.id)).toEqual(["interrupted", "the program ended unexpectedly"]);
  expect(store.studies.require(failed.id).runs.map((r) => r.status)).toEqual([
    "done",
    "failed",
    "done",
    "done",
  ]);
  expect(store.studies.latestInterrupted()!.id).toBe(halfway.id);
  const events = store.events({ limit: 1000 }).length;
  reopen();
  expect(store.events({ limit: 1000 })).toHaveLength(events);
});

test("a study that never came to a round can be removed without a trace; one with a round cannot", async () => {
  const kept = createStudy("kept");
  const alone = createStudy("alone", samplePartition(7));
  const sharing = createStudy("sharing");
  const [run] = sharing.runs;
  await store.checkpoints.write(sharing.id, 0, sampleTensors(0));
  store.record({ at, kind: "study-started", study: sharing.id, name: "", runs: 4, engine: sampleEngine });
  endRun(sharing.id, run!.id, "failed");
  store.record({ at, kind: "client-update", run: run!.id, round: 1, update: sampleUpdate("a") });
  const checkpoint = await store.checkpoints.write(kept.runs[2]!.id, 1, sampleTensors(1));
  store.recordRound({ run: kept.runs[2]!.id, result: sampleRound(1), checkpoint, at });

  expect(store.studies.remove(alone.id)).toBe(true);
  expect(store.studies.remove(sharing.id)).toBe(true);
  expect(store.studies.remove(sharing.id)).toBe(false);
  expect(store.studies.remove(kept.id)).toBe(false);

  expect(store.studies.list().map((s) => s.name)).toEqual(["kept"]);
  expect(store.studies.require(kept.id).partition).toEqual(samplePartition());
  expect(store.runs.of(kept.id)).toHaveLength(4);
  expect(store.rounds.of(kept.runs[2]!.id)).toHaveLength(1);
  expect(store.events({ limit: 100 }).map((e) => e.kind)).toEqual(["round-ended"]);
  const db = new DatabaseSync(join(folder.path, "fedfleet.db"));
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n;
  expect(["partitions", "studies", "runs", "study_checkpoints"].map(count)).toEqual([1, 1, 4, 0]);
  expect(count("client_updates")).toBe(2); // those of the kept study's round
  expect(db.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  db.close();
  reopen();
  expect(store.studies.latestInterrupted()!.id).toBe(kept.id);
  expect(existsSync(checkpoint)).toBe(true);
});

test("pruning keeps the last checkpoint and the best, and files that no row knows go at the next start", async () => {
  const run = createStudy().runs[0]!.id;
  const accuracies = [0.1, 0.7, 0.7, 0.6, 0.5];
  for (const [round, accuracy] of accuracies.entries()) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round, { metrics: { accuracy, loss: 1 } }), checkpoint });
  }
  const inFolder = () => readdirSync(join(folder.path, "checkpoints", run)).sort();
  expect(await store.checkpoints.prune(run, sampleMetrics)).toBe(3);
  expect(inFolder()).toEqual(["round-00001.safetensors", "round-00004.safetensors"]);
  expect(store.checkpoints.of(run).map((c) => c.round)).toEqual([1, 4]);
  expect(await store.checkpoints.prune(run, [])).toBe(1);
  expect(inFolder()).toEqual(["round-00004.safetensors"]);
  expect(await store.checkpoints.prune("r-none", sampleMetrics)).toBe(0);

  const orphan = await store.checkpoints.write(run, 5, sampleTensors(5));
  writeFileSync(join(folder.path, "checkpoints", run, ".round-00006.safetensors.00ff.unfinished"), "half");
  writeFileSync(join(folder.path, "checkpoints", "notes.txt"), "a person's own");
  expect(existsSync(orphan)).toBe(true);
  reopen();
  expect(inFolder()).toEqual(["round-00004.safetensors"]);
  expect(existsSync(join(folder.path, "checkpoints", "notes.txt"))).toBe(true);
  expect(store.rounds.last(run)!.checkpoint.round).toBe(4);
});

test("the best round of a run without accuracies is the one of the lowest loss", async () => {
  const run = createStudy().runs[0]!.id;
  for (const [round, loss] of [Number.NaN, 3, 1, 2].entries()) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round, { metrics: { accuracy: null, loss } }), checkpoint });
  }
  await store.checkpoints.prune(run, sampleMetrics);
  expect(store.checkpoints.of(run).map((c) => c.round)).toEqual([2, 3]);
});

test("the best round is that of the primary metric, whatever it is called and whichever way is better", async () => {
  const run = createStudy().runs[0]!.id;
  const accuracy = 0.9;
  const values = [
    { rank10: 0.1, seconds: 1 },
    { rank10: 0.5, seconds: 3 },
    { rank10: 0.5, seconds: 2 },
    { rank10: null, seconds: 0 },
    { rank10: Number.NaN, seconds: -1 },
    { rank10: 0.4, seconds: 4 },
  ];
  for (const [round, metrics] of values.entries()) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round, { metrics: { accuracy, ...metrics } }), checkpoint });
  }
  const kept = () => store.checkpoints.of(run).map(({ round }) => round);
  const rank10 = { id: "rank10", better: "higher" } as const;
  const seconds = { id: "seconds", better: "lower" } as const;
  await store.checkpoints.prune(run, [rank10, seconds]);
  expect(kept()).toEqual([2, 5]);
  // of those that are left, the other metric alone keeps another one
  await store.checkpoints.prune(run, [{ ...seconds, better: "higher" }]);
  expect(kept()).toEqual([5]);
});

test("a metric that nobody knows keeps the last checkpoint alone", async () => {
  const run = createStudy().runs[0]!.id;
  for (const round of [0, 1, 2]) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round), checkpoint });
  }
  await store.checkpoints.prune(run, [{ id: "constructor", better: "higher" }]);
  expect(store.checkpoints.of(run).map(({ round }) => round)).toEqual([2]);
});

test("any metric of a round comes back: in its record, as a column, and for the next round of its run", async () => {
  const { id, runs } = createStudy();
  const run = runs[0]!.id;
  const values: readonly MetricValues[] = [
    { accuracy: null, loss: 2 },
    { accuracy: 0.5, loss: 1, rank10: 0.25, constructor: 7 },
    { accuracy: 0.75, loss: Number.NaN, rank10: 0.5 },
  ];
  for (const [round, metrics] of values.entries()) {
    const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
    store.recordRound({ run, result: sampleRound(round, { metrics }), checkpoint });
  }
  reopen();
  expect(store.rounds.of(run).map(({ metrics }) => metrics)).toStrictEqual(values);
  expect(store.reportRows.rounds(run).map(({ metrics }) => metrics)).toEqual(values);
  expect(Object.entries(store.rounds.columns(run).metrics).toSorted()).toEqual([
    ["accuracy", [null, 0.5, 0.75]],
    ["constructor", [null, 7, null]],
    ["loss", [2, 1, null]],
    ["rank10", [null, 0.25, 0.5]],
  ]);
  expect(store.rounds.remembered(run)).toEqual(
    values.map((metrics, round) => ({
      round,
      clients: ["virtual-1", "virtual-2"],
      metrics: { ...metrics, loss: round === 2 ? null : metrics.loss },
    })),
  );
  const [row] = store.studyRows.list();
  expect(row).toMatchObject({ id, metric: { id: "accuracy", title: "Accuracy" } });
  expect(row!.results[0]).toEqual({ algorithm: "fedavg", value: 0.75, n: 1 });
});

test("a checkpoint that was changed behind our back is refused by name", async () => {
  const run = createStudy().runs[0]!.id;
  const path = await store.checkpoints.write(run, 1, sampleTensors(1), { round: "1" });
  store.recordRound({ run, result: sampleRound(1), checkpoint: path });
  expect((await store.checkpoints.read(path)).metadata).toEqual({ round: "1" });
  const other = await store.checkpoints.write(run, 2, sampleTensors(2));
  copyFileSync(other, path);
  await expect(store.checkpoints.read(path)).rejects.toThrow(
    /round-00001\.safetensors is not the checkpoint/,
  );
});

test("a study can have weights of its own, on record at once, and no partition", async () => {
  const { id } = store.studies.create({
    study: sampleStudy(),
    partition: undefined,
    classes: [],
    engine: sampleEngine,
    runs: plannedRuns,
  });
  expect(store.checkpoints.get(id, 0)).toBeUndefined();
  const path = await store.checkpoints.write(id, 0, sampleTensors(0));
  reopen();
  expect(store.studies.require(id).partition).toBeUndefined();
  expect(store.checkpoints.get(id, 0)!.path).toBe(path);
  expect((await store.checkpoints.read(path)).tensors).toEqual(sampleTensors(0));
  writeFileSync(path, "");
  await expect(store.checkpoints.read(path)).rejects.toThrow(path);
});

test("data sets are registered, replaced and forgotten", () => {
  const cifar = { name: "cifar10", format: "cifar-binary", path: "/data/c", sha256s: { "a.bin": "00" } };
  store.datasets.save(cifar, at);
  store.datasets.save({ ...cifar, name: "b" }, at);
  store.datasets.save({ ...cifar, path: "/data/d" }, at);
  reopen();
  expect(store.datasets.list().map((d) => [d.name, d.path])).toEqual([
    ["b", "/data/c"],
    ["cifar10", "/data/d"],
  ]);
  expect(store.datasets.get("cifar10")).toEqual({ ...cifar, path: "/data/d", registeredAt: at });
  expect(store.datasets.remove("b")).toBe(true);
  expect(store.datasets.remove("b")).toBe(false);
});

test("an update of a device keeps what is not given", () => {
  store.devices.upsert({ name: "nano", kind: "virtual", dialect: "flwr" }, "2026-01-01T00:00:00.000Z");
  store.devices.upsert({ name: "nano", kind: "external", address: "10.0.0.2" }, at);
  expect(store.devices.list()).toMatchObject([
    {
      kind: "external",
      dialect: "flwr",
      address: "10.0.0.2",
      firstSeen: "2026-01-01T00:00:00.000Z",
      lastSeen: at,
    },
  ]);
});

test("a device is of the crew that it joined with, whatever it is called", () => {
  const joined = [
    ["external", "virtual"],
    ["external-12", "board"],
    ["pi", "external"],
    ["virtual-1", "external"],
  ] as const;
  for (const [device, crew] of joined) {
    store.record({ at, kind: "device-joined", device, crew, dialect: "transport", address: "10.0.0.2:7" });
  }
  expect(store.devices.list().map((d) => [d.name, d.kind])).toEqual(joined);
});

test("an event of an earlier version, without a crew, leaves a device in the crew that it was of", () => {
  const joined = { at, kind: "device-joined", device: "pi", dialect: "flwr", address: "10.0.0.2:7" } as const;
  store.record({ ...joined, crew: "board" });
  store.record(joined);
  expect(store.devices.list().map((d) => [d.name, d.kind])).toEqual([["pi", "board"]]);
});

test("closing twice is harmless", () => {
  store.close();
  store.close();
});
