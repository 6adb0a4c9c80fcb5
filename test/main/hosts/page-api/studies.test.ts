import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { StudyView } from "#contract/views.ts";
import { temporaryFolder } from "#test/main/store/samples.ts";
import { followFrom, openRealLab, type RealLab, smallStudy, until } from "./open-page-lab.ts";

const folder = temporaryFolder();
let real: RealLab;
beforeAll(() => {
  real = openRealLab(folder.path);
});
afterAll(async () => {
  await real.close();
  folder.remove();
});

const start = async (changes: Parameters<typeof smallStudy>[0] = {}): Promise<string> =>
  (await real.client.studies.start({ study: smallStudy(changes) })).study;
const view = async (study: string): Promise<StudyView> => (await real.client.studies.get({ study })).study;
const row = async (study: string) =>
  (await real.client.studies.list()).studies.find(({ id }) => id === study);
const idle = () => until(() => real.pageLab.activity().study === undefined);

test("a study from its start to its end, as a page sees it", async () => {
  const page = followFrom(real.client, (await real.client.lab.view()).cursor);
  const id = await start({ algorithms: ["fedavg", "fedntd"], rounds: 2 });
  expect(await row(id)).toMatchObject({
    roundsDone: 0,
    runs: 2,
    results: [{ value: null, n: 0 }, { n: 0 }],
  });
  await until(() => page.items().some(({ event }) => event.kind === "client-progress"));
  const live = (await view(id)).live;
  expect(live?.round).toBeGreaterThan(0);
  expect(live?.devices.map(({ device }) => device)).toEqual(["virtual-1", "virtual-2", "virtual-3"]);
  await idle();
  await until(() => page.items().some(({ event }) => event.kind === "study-ended"));

  const shown = await view(id);
  expect(shown).toMatchObject({ id, name: "small", status: "done", fleetSize: 3, rounds: 2 });
  expect(shown.live).toBeUndefined();
  expect(shown.partition).toMatchObject({ kind: "shards", devices: ["virtual-1", "virtual-2", "virtual-3"] });
  const [stored] = real.lab.store.runs.of(id);
  const rounds = real.lab.store.rounds.of(stored!.id);
  expect(shown.partition!.histogram).toEqual(real.lab.store.studies.get(id)!.partition!.histogram);
  expect(shown.curves[0]).toEqual({
    run: stored!.id,
    round: [0, 1, 2],
    metrics: {
      accuracy: rounds.map((r) => r.metrics.accuracy),
      loss: rounds.map((r) => r.metrics.loss),
    },
    seconds: rounds.map((r) => r.seconds),
    clients: [0, 3, 3],
    failures: [0, 0, 0],
  });
  expect(shown.runs.map(({ algorithm, status }) => [algorithm, status])).toEqual([
    ["fedavg", "done"],
    ["fedntd", "done"],
  ]);
  expect(await real.client.studies.curves({ runs: [stored!.id, "r-none"] })).toEqual([shown.curves[0]]);
  expect(await real.client.studies.round({ run: stored!.id, round: 2 })).toEqual(rounds[2]);

  const line = await row(id);
  expect(line).toMatchObject({ roundsDone: 4, runsDone: 2, algorithms: ["fedavg", "fedntd"] });
  expect(line!.results[0]).toEqual({ algorithm: "fedavg", value: rounds[2]!.metrics.accuracy, n: 1 });

  const kinds = shown.log.map(({ event }) => event.kind);
  expect(kinds.filter((kind) => !kind.startsWith("device-"))).toEqual([
    "study-started",
    ...["run-started", "round-ended", "round-ended", "round-ended", "run-ended"],
    ...["run-started", "round-ended", "round-ended", "round-ended", "run-ended"],
    "study-ended",
  ]);
  for (const { event } of shown.log)
    if (event.kind === "round-ended") {
      expect(event.result).not.toHaveProperty("updates");
      expect(event.result).not.toHaveProperty("evaluations");
    }
  const before = shown.log[4]!.id;
  expect(await real.client.studies.log({ study: id, before, limit: 2 })).toEqual(shown.log.slice(2, 4));

  const kindsTold = page.items().map(({ event }) => event.kind);
  for (const kind of ["studies-changed", "activity", "said", "study-started", "round-ended", "study-ended"])
    expect(kindsTold).toContain(kind);
  await page.stop();
});

test("pause keeps the devices, resume goes on with them", async () => {
  const page = followFrom(real.client, (await real.client.lab.view()).cursor);
  const count = (kind: string) => page.items().filter(({ event }) => event.kind === kind).length;
  const id = await start({ rounds: 4 });
  await until(() => count("round-ended") >= 2);
  expect((await real.client.studies.pause({ study: id })).phase).toBe("pausing");
  await until(() => real.pageLab.activity().phase === "paused");
  await until(() => count("study-paused") === 1);
  const rounds = count("round-ended");
  expect(await row(id)).toMatchObject({ status: "running" });
  expect(real.lab.store.devices.list().filter((d) => d.connected)).toHaveLength(3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(count("round-ended")).toBe(rounds);
  expect((await real.client.studies.resume({ study: id })).phase).toBe("running");
  await idle();
  await until(() => count("study-ended") === 1);
  expect([count("round-ended"), count("study-continued"), count("device-joined")]).toEqual([5, 1, 3]);
  expect(await row(id)).toMatchObject({ status: "done", roundsDone: 4 });
  await page.stop();
});

test("what runs is stopped and resumed, what waits is taken away, what is over is forgotten", async () => {
  const first = await start({ rounds: 50 });
  const second = await start({ name: "second" });
  expect(real.pageLab.activity()).toMatchObject({ study: first, queue: [second] });
  await expect(real.client.studies.remove({ study: first })).rejects.toMatchObject({ code: "PROBLEM" });
  expect(await real.client.studies.remove({ study: second })).toMatchObject({ study: first, queue: [] });
  expect(await row(second)).toBeUndefined();
  await until(() => (real.lab.store.runs.of(first)[0]?.lastRound ?? 0) >= 1);
  await real.client.studies.stopNow({ study: first });
  await idle();
  expect(await row(first)).toMatchObject({ status: "interrupted", reason: "stopped immediately" });
  const before = (await row(first))!.roundsDone;
  await real.client.studies.resume({ study: first });
  await until(() => (real.lab.store.runs.of(first)[0]?.lastRound ?? 0) > before);
  await real.client.studies.stopAfterRound({ study: first });
  await idle();
  expect(await row(first)).toMatchObject({ status: "interrupted", reason: "stopped after a round" });

  const [run] = real.lab.store.runs.of(first);
  const files = join(folder.path, "checkpoints", run!.id);
  expect(existsSync(files)).toBe(true);
  await real.client.studies.rename({ study: first, name: "  another  " });
  expect(await view(first)).toMatchObject({ name: "another", study: { name: "another" } });
  const cursor = real.lab.store.lastEvent();
  await real.client.studies.remove({ study: first });
  await expect(real.client.studies.get({ study: first })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(existsSync(files)).toBe(false);
  expect(real.lab.store.runs.get(run!.id)).toBeUndefined();
  // the numbers of forgotten events are not given again
  expect(real.lab.store.lastEvent()).toBe(cursor);
  await expect(real.client.studies.resume({ study: first })).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("a study that is wrong is refused by field, and nothing is recorded", async () => {
  const before = (await real.client.studies.list()).studies.length;
  const wrong = real.client.studies.start({ study: { ...smallStudy(), rounds: 0, batchSize: "many" } });
  await expect(wrong).rejects.toMatchObject({
    code: "PROBLEM",
    data: {
      fields: [
        { path: "rounds", message: "must be at least 1" },
        { path: "batchSize", message: "must be a number" },
      ],
    },
  });
  await expect(start({ dataset: "no-such-data" })).rejects.toMatchObject({
    code: "PROBLEM",
    data: { fields: [{ path: "dataset" }] },
  });
  expect((await real.client.studies.list()).studies).toHaveLength(before);
});

test("what cannot be equipped stays on record with its reason, and the page is told", async () => {
  const { createServer } = await import("node:net");
  const squatter = createServer().listen(8080, "127.0.0.1");
  await new Promise((resolve) => squatter.once("listening", resolve).once("error", resolve));
  const page = followFrom(real.client, real.lab.store.lastEvent());
  const id = await start({
    dataset: "on-clients",
    fleet: { external: 1 },
    evaluation: { central: false },
  });
  await idle();
  expect(await view(id)).toMatchObject({
    status: "interrupted",
    reason: expect.stringMatching(/^another program uses 127\.0\.0\.1:8080, .* Quit that program and resume/),
  });
  await until(() => page.items().some(({ event }) => event.kind === "said" && event.problem));
  expect(page.items().map(({ event }) => event)).toContainEqual(
    expect.objectContaining({
      kind: "said",
      study: id,
      message: expect.stringContaining("small: another program"),
    }),
  );
  await page.stop();
  squatter.close();
  await real.client.studies.remove({ study: id });
});

test("a bug in an answer reaches the page without its words, and the log with them", async () => {
  const { list } = real.lab.store.studyRows;
  const bug = new Error("no such column: secret");
  real.lab.store.studyRows.list = () => {
    throw bug;
  };
  try {
    const asked = real.client.studies.list();
    await expect(asked).rejects.toBe(bug); // this client is in the same process: the transport takes the words away
    expect(real.bugs.splice(0)).toEqual([bug]);
  } finally {
    real.lab.store.studyRows.list = list;
  }
});

test("stopped while its workers start, a study ends at once, and can be resumed", async () => {
  const page = followFrom(real.client, real.lab.store.lastEvent());
  const id = await start({ rounds: 1 });
  await until(() =>
    page.items().some(({ event }) => event.kind === "said" && /^starting/.test(event.message)),
  );
  expect(real.pageLab.activity()).toMatchObject({ study: id, phase: "starting" });
  await real.client.studies.stopNow({ study: id });
  await idle();
  const stopped = await view(id);
  expect(stopped).toMatchObject({ status: "interrupted", reason: "stopped immediately" });
  expect(stopped.log.map(({ event }) => event.kind)).toEqual(["study-ended"]);
  await real.client.studies.resume({ study: id });
  await idle();
  expect(await view(id)).toMatchObject({ status: "done", runs: [{ status: "done" }] });
  expect(real.bugs).toEqual([]);
  await page.stop();
});

test("a lab that closes interrupts what runs; its next opening resumes it to the end", async () => {
  const other = temporaryFolder();
  const first = openRealLab(other.path);
  const { study } = await first.client.studies.start({ study: smallStudy({ rounds: 6 }) });
  const waiting = await first.client.studies.start({ study: smallStudy() });
  const page = followFrom(first.client, 0);
  await until(() => (first.lab.store.runs.of(study)[0]?.lastRound ?? 0) >= 2);
  await first.close();
  await page.over;
  expect(page.items().some(({ event }) => event.kind === "study-ended" && event.study === study)).toBe(true);

  const second = openRealLab(other.path);
  const of = async (id: string) => (await second.client.studies.get({ study: id })).study;
  expect(await of(study)).toMatchObject({ status: "interrupted", reason: "stopped immediately" });
  expect(await of(waiting.study)).toMatchObject({
    status: "interrupted",
    reason: "the lab was closed before this study started",
  });
  await second.client.studies.resume({ study });
  await until(() => second.pageLab.activity().study === undefined);
  const after = await of(study);
  expect(after).toMatchObject({ status: "done" });
  expect(after.reason).toBeUndefined();
  expect(after.curves[0]!.round).toEqual([0, 1, 2, 3, 4, 5, 6]);
  await expect(second.client.studies.resume({ study })).rejects.toMatchObject({ code: "PROBLEM" });
  expect([...first.bugs, ...second.bugs]).toEqual([]);
  await second.close();
  other.remove();
});

test("the lab says what it is", async () => {
  expect(await real.client.lab.view()).toMatchObject({
    host: "browser",
    version: "0.0.0",
    pid: process.pid,
    dataDir: folder.path,
    activity: { queue: [] },
    engines: [{ kind: "wasm", usable: true, chosen: true, path: "/w", version: "4.22.0" }],
    cursor: real.lab.store.lastEvent(),
  });
  expect(real.bugs).toEqual([]);
});
