import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRouterClient } from "@orpc/server";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { BoardSummary } from "#contract/boards.ts";
import { parseStudy, type Study, type StudyInput } from "#contract/study.ts";
import type { EngineView, Preparation, ReadyCheck } from "#contract/views.ts";
import { byteText } from "#main/hosts/page-api/byte-text.ts";
import { readLeniently } from "#main/hosts/page-api/lenient-study.ts";
import {
  boardChecks,
  checkpointBytes,
  dataChecks,
  deviceChecks,
  diskCheck,
  engineCheck,
  memoryCheck,
  queueCheck,
} from "#main/hosts/page-api/ready-checks.ts";
import { studyCost } from "#main/hosts/page-api/study-cost.ts";
import { type Lab, openLab } from "#main/lab/open-lab.ts";
import { openPageLab, type PageLab } from "#main/lab/page-lab.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import { modelParameters } from "#main/learning/models/models.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { initialWeightsBytes } from "./weights-bytes.ts";

const root = (name: string) => new URL(`../../../../src-main/${name}.ts`, import.meta.url);
const dataDir = mkdtempSync(join(tmpdir(), "fedfleet-prepare-"));
let lab: Lab;
let pageLab: PageLab;
const client = () => createRouterClient(pageLab.router);
const prepare = (study: unknown): Promise<Preparation> => client().studies.prepare({ study });

beforeAll(async () => {
  lab = openLab({
    dataDir,
    resourcesDir: fileURLToPath(new URL("../../../../resources/", import.meta.url)),
    fork: forkNode,
    entries: {
      device: root("processes/device-worker"),
      evaluation: root("processes/evaluation-worker"),
      data: root("processes/data-worker"),
      report: root("processes/report-worker"),
    },
  });
  pageLab = openPageLab({ lab, host: "browser", version: "0.0.0", listEngines: () => listEngines() });
  await vi.waitFor(async () => expect((await client().lab.view()).engines).toBeDefined(), {
    timeout: 30_000,
    interval: 100,
  });
}, 60_000);
afterAll(async () => {
  await pageLab.close();
  await lab.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const input = (change: Partial<StudyInput> = {}): StudyInput => ({
  name: "prepared",
  dataset: "fashion-mnist-sample",
  model: "Net",
  algorithms: ["fedavg"],
  fleet: { virtual: 4 },
  rounds: 3,
  optimizer: { lr: 0.05 },
  ...change,
});
const parsed = (change: Partial<StudyInput> = {}): Study => {
  const result = parseStudy(input(change));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.study;
};
const check = ({ checks }: Preparation, kind: ReadyCheck["kind"]) => checks.filter((c) => c.kind === kind);

describe("a study that is prepared", () => {
  it("is left alone when its asker has left for a newer one", async () => {
    const asked = new AbortController();
    let isPrepared = false;
    const first = prepare(input({ seed: 1 })).then(() => {
      isPrepared = true;
    });
    const left = client()
      .studies.prepare({ study: input({ seed: 2 }) }, { signal: asked.signal })
      .catch((error: unknown) => error);
    asked.abort();
    expect(await left).toBeInstanceOf(Error);
    expect(isPrepared).toBe(false);
    await first;
  });

  it("has the partition that it gets when it is started", async () => {
    for (const partition of [
      { kind: "iid" },
      { kind: "shards", shardsPerClient: 3 },
      { kind: "dirichlet", alpha: 0.3 },
    ] as const) {
      const study = parsed({ partition, seed: 11, fleet: { virtual: 7 } });
      const { preview, problems } = await prepare(study);
      expect(problems).toEqual([]);
      const opened = await lab.runs.open(study);
      if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
      const recorded = lab.store.studies.get(opened.id);
      expect(preview?.sha256).toBe(recorded?.partition?.sha256);
      expect(preview?.histogram).toEqual(recorded?.partition?.histogram);
      expect(preview?.classes).toEqual(recorded?.classes);
      expect(preview?.devices).toHaveLength(7);
      lab.store.studies.remove(opened.id);
    }
  });

  it("records nothing, and is ready where everything is there", async () => {
    const before = lab.store.lastEvent();
    const { checks, problems } = await prepare(input());
    expect(problems).toEqual([]);
    expect(checks.map(({ kind }) => kind)).toEqual(["data", "devices", "engine", "memory", "disk", "queue"]);
    expect(checks.filter(({ state }) => state === "missing")).toEqual([]);
    const workers = Math.min(availableParallelism(), 4);
    expect(checks[1]?.text).toBe(
      `4 virtual devices on this computer, ${workers} worker process${workers === 1 ? "" : "es"}.`,
    );
    expect(checks[4]?.text).toContain(dataDir);
    expect(checks[5]?.text).toBe("Queue empty: starts immediately.");
    expect(lab.store.lastEvent()).toBe(before);
    expect(lab.store.studyRows.list()).toEqual([]);
  });

  it("costs what its model weighs, as often as it travels", async () => {
    const { cost } = await prepare(
      input({
        algorithms: ["fedavg", "fedntd"],
        trials: 2,
        sampling: { fraction: 0.5 },
        fleet: { virtual: 6 },
      }),
    );
    const bytes = initialWeightsBytes("Net", 10);
    expect(cost).toMatchObject({
      updateBytes: bytes,
      clientsPerRound: 3,
      wireBytes: 2 * bytes * 3 * 3 * 2 * 2,
      parameters: bytes / 4,
    });
    expect(cost?.seconds).toBeUndefined();
    expect(cost?.basis).toMatch(/^This lab has no recorded round of Net on .+ yet\.$/);
  });

  it("leaves the heat map of more than a thousand devices out", async () => {
    const { preview, cost, problems } = await prepare(input({ fleet: { virtual: 1001 } }));
    expect(problems).toEqual([]);
    expect(preview).toBeUndefined();
    expect(cost?.clientsPerRound).toBe(1001);
    expect((await prepare(input({ fleet: { virtual: 1000 } }))).preview?.devices).toHaveLength(1000);
  });

  it("estimates its time from what was measured here", async () => {
    const opened = await lab.runs.open(parsed({ rounds: 2, fleet: { virtual: 2 } }));
    if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
    const { signal } = new AbortController();
    expect(await lab.runs.conduct(opened.id, { afterRound: signal, now: signal })).toBe("done");
    const run = lab.store.runs.of(opened.id)[0];
    const rounds = lab.store.rounds.of(run?.id ?? "").filter(({ round }) => round > 0);
    const measured = rounds.reduce((sum, { seconds }) => sum + seconds, 0) / rounds.length;
    const same = await prepare(input({ rounds: 2, fleet: { virtual: 2 } }));
    // the same study again takes as long, by the middle of what was measured
    expect(same.cost?.seconds).toBeCloseTo(2 * measured, 6);
    expect(same.cost?.basis).toMatch(/^Based on the latest 2 rounds of Net on .+ in this lab\.$/);
    const longer = await prepare(input({ rounds: 20, localEpochs: 3, trials: 2, fleet: { virtual: 2 } }));
    expect(longer.cost?.seconds).toBeCloseTo(20 * 3 * 2 * measured, 6);
    expect((await prepare(input({ model: "ResNet8" }))).cost?.seconds).toBeUndefined();
    const slow = await prepare(input({ fleet: { virtual: { count: 2, slowness: 3 } } }));
    expect(slow.cost?.seconds).toBeUndefined();
    await client().studies.remove({ study: opened.id });
  }, 60_000);
});

describe("a study that is wrong or half written", () => {
  it("tells all its problems, with what one click can mend", async () => {
    const wrong = { ...input(), rounds: 0, extra: 1, sampling: { minFit: 8 } };
    const result = await prepare(wrong);
    expect(result.problems.map(({ path }) => path).sort()).toEqual(["extra", "rounds", "sampling.minFit"]);
    const fleet = await prepare({
      ...input(),
      sampling: { minFit: 8, minAvailable: 9 },
      stop: { minUpdates: 5 },
    });
    expect(fleet.problems).toHaveLength(3);
    expect(check(fleet, "devices").flatMap(({ mend }) => (mend ? [mend] : []))).toEqual([
      { do: "set", patch: { "sampling.minFit": 4 }, label: "Set it to 4" },
      { do: "set", patch: { "sampling.minAvailable": 4 }, label: "Set it to 4" },
      { do: "set", patch: { "stop.minUpdates": 4 }, label: "Set it to 4" },
    ]);
    // what is not in doubt is shown all the same
    const right = await prepare(input());
    expect(fleet.preview).toEqual(right.preview);
    expect(result.preview).toEqual(right.preview);
    expect(check(result, "data")[0]?.state).toBe("ok");
    expect(result.cost).toBeUndefined();
  });

  it("shows no preview of settings that are in doubt", async () => {
    for (const change of [
      { partition: { kind: "dirichlet", alpha: -1 } },
      { fleet: { virtual: 0 } },
      { seed: -1 },
      { dataset: "" },
    ]) {
      const { problems, preview } = await prepare({ ...input(), ...change });
      expect(problems.length).toBeGreaterThan(0);
      expect(preview).toBeUndefined();
    }
  });

  it("answers to anything", async () => {
    for (const nonsense of [null, undefined, 7, "study", [], {}, { name: "x" }, { fleet: [] }]) {
      const { problems, checks } = await prepare(nonsense);
      expect(problems.length).toBeGreaterThan(0);
      expect(checks.map(({ kind }) => kind)).toContain("queue");
    }
  });

  it("tells what only the data can tell", async () => {
    const shards = await prepare(input({ partition: { kind: "shards", shardsPerClient: 5000 } }));
    expect(shards.problems.map(({ path }) => path)).toEqual(["partition.shardsPerClient"]);
    expect(shards.preview).toBeUndefined();
    const mends = check(shards, "data").flatMap(({ mend }) => (mend ? [mend] : []));
    expect(mends).toEqual([
      { do: "set", patch: { "partition.shardsPerClient": 1500 }, label: "Set it to 1500" },
    ]);
    const mended = await prepare(input({ partition: { kind: "shards", shardsPerClient: 1500 } }));
    expect(mended.problems).toEqual([]);
    const classes = await prepare(input({ partition: { kind: "class-skew", classes: 11 } }));
    expect(check(classes, "data").at(-1)?.mend).toMatchObject({ patch: { "partition.classes": 10 } });
    const fleet = await prepare(input({ fleet: { virtual: 7000 } }));
    expect(check(fleet, "devices").flatMap(({ mend }) => (mend ? [mend] : []))).toEqual([
      { do: "set", patch: { "fleet.virtual": 6000 }, label: "Set it to 6000" },
    ]);
  });

  it("each mend makes its problem go away", async () => {
    for (const [wrong, patched] of [
      [{ ...input(), algorithms: ["fedper"] }, { evaluation: { central: false, federated: true } }],
      [{ ...input(), dataset: "on-clients", fleet: { external: 2 } }, { evaluation: { central: false } }],
      [{ ...input(), stop: { graceSeconds: 5 } }, { stop: { graceSeconds: 0 } }],
    ] as const) {
      const before = await prepare(wrong);
      const mends = before.checks.flatMap(({ mend }) => (mend?.do === "set" ? Object.keys(mend.patch) : []));
      expect(mends.map((path) => path.split(".")[0])).toContain(Object.keys(patched)[0]);
      expect((await prepare({ ...wrong, ...patched })).problems).toEqual([]);
    }
  });
});

describe("what is missing", () => {
  it("is downloaded, or done without", async () => {
    const { checks, preview, cost, problems } = await prepare(input({ dataset: "cifar10" }));
    expect(problems).toEqual([]);
    expect(checks[0]).toEqual({
      kind: "data",
      state: "missing",
      text: "cifar10 is not on this computer.",
      mend: { do: "download", dataset: "cifar10", label: "Download 170 MB" },
    });
    expect(checks[1]?.mend).toEqual({
      do: "set",
      patch: { dataset: "fashion-mnist-sample" },
      label: "Use the bundled sample",
    });
    expect(preview).toBeUndefined();
    expect(cost?.updateBytes).toBe(initialWeightsBytes("Net", 10));
    const unknown = await prepare(input({ dataset: "none" }));
    expect(unknown.checks[0]?.mend).toEqual({ do: "go", page: "data", label: "Open the data page" });
  });

  it("is waited for, where it is foreign clients", async () => {
    const { checks, cost, preview } = await prepare(input({ fleet: { external: 2 } }));
    expect(checks.find(({ kind }) => kind === "devices")).toEqual({
      kind: "devices",
      state: "warning",
      text: "The study waits for 2 Flower clients to connect to 127.0.0.1:8080.",
    });
    expect(preview).toBeUndefined();
    expect(cost?.clientsPerRound).toBe(2);
  });
});

describe("the readiness list", () => {
  const engine = (change: Partial<EngineView>): EngineView => ({
    kind: "native",
    usable: true,
    chosen: true,
    version: "4.22.0",
    ...change,
  });

  it("warns of the slow engine, and where there is none", () => {
    expect(engineCheck(parsed(), [engine({})])).toEqual([
      { kind: "engine", state: "ok", text: "Training on native 4.22.0." },
    ]);
    const [wasm] = engineCheck(parsed(), [engine({ kind: "wasm" })]);
    expect(wasm).toMatchObject({ state: "warning" });
    expect(wasm?.text).toContain("engine install");
    expect(engineCheck(parsed(), [engine({ chosen: false, usable: false, note: "torn" })])[0]).toMatchObject({
      state: "missing",
      text: "No engine is usable. native: torn",
    });
    expect(engineCheck(parsed(), undefined)[0]?.state).toBe("warning");
    const foreign = parsed({ fleet: { external: 1 }, evaluation: { central: false } });
    expect(engineCheck(foreign, [])).toEqual([]);
  });

  it("counts memory for workers, models and held updates", () => {
    const facts = {
      workers: 2,
      wantedWorkers: 2,
      workerBytes: 600e6,
      modelBytes: 10e6,
      clientsPerRound: 50,
      freeBytes: 8e9,
    };
    expect(memoryCheck(parsed(), facts)[0]).toMatchObject({
      state: "ok",
      text: "Needs about 1.2 GB of memory; 8.0 GB free.",
    });
    expect(memoryCheck(parsed({ algorithms: ["fedmedian"] }), facts)[0]?.text).toContain("about 1.7 GB");
    expect(memoryCheck(parsed(), { ...facts, freeBytes: 1e9 })[0]?.state).toBe("warning");
    expect(memoryCheck(parsed(), { ...facts, wantedWorkers: 8 })[0]?.text).toContain(
      "2 of 8 worker processes",
    );
  });

  it("counts the disk for kept checkpoints and server state", () => {
    expect(checkpointBytes(parsed({ trials: 3 }), 100)).toBe(3 * 2 * 100 + 100);
    expect(checkpointBytes(parsed({ algorithms: ["fedavg", "fedadam"] }), 100)).toBe(200 + 600 + 300);
    expect(diskCheck(5e6, 1e9, "/lab")).toEqual({
      kind: "disk",
      state: "ok",
      text: "Checkpoints take up to 5.0 MB; 1.0 GB free in /lab.",
    });
    expect(diskCheck(6e8, 1e9, "/lab").state).toBe("warning");
    expect(diskCheck(2e9, 1e9, "/lab").state).toBe("missing");
  });

  it("says after whom it is the turn", () => {
    const name = (id: string) => `study ${id}`;
    expect(queueCheck({ study: "a", queue: [] }, name).text).toBe("Queued (#1): starts after study a.");
    expect(queueCheck({ study: "a", queue: ["b"] }, name).text).toBe("Queued (#2): starts after study b.");
  });

  it("says what is wrong with damaged data", () => {
    const entry = {
      name: "x",
      title: "X",
      state: "damaged",
      problem: "x.bin: is missing.",
      terms: "",
      registered: true,
    } as const;
    expect(dataChecks("x", entry, true)).toMatchObject([
      { state: "missing", text: "x is damaged: x.bin: is missing.", mend: { do: "go", page: "data" } },
      { state: "warning", mend: { do: "set" } },
    ]);
  });

  it("says of each board whether it is ready", () => {
    const board = (change: Partial<BoardSummary>): BoardSummary => ({
      address: "pi@x:22",
      state: "online",
      since: "",
      setup: "ready",
      ...change,
    });
    const boards = new Map([
      ["a", board({})],
      ["b", board({})],
      ["c", board({ setup: "needed" })],
      [
        "d",
        board({
          state: "offline",
          problem: { code: "refused", title: "Nothing answers on port 22", cause: "", next: "" },
        }),
      ],
      ["e", board({ setup: "running" })],
    ]);
    const study = parsed({ fleet: { devices: ["a", "b", "c", "d", "e", "nobody"] } });
    expect(
      boardChecks(study, (name) => boards.get(name)).map(({ state, text }) => `${state}: ${text}`),
    ).toEqual([
      "ok: 2 boards ready over SSH.",
      "missing: c is not set up yet.",
      "warning: d is not connected: Nothing answers on port 22. The study will wait for it.",
      "warning: e is being set up.",
    ]);
  });

  it("counts in the singular, too", () => {
    expect(deviceChecks(parsed({ fleet: { virtual: 1 } }), 1, { host: "::1", port: 1 })[0]?.text).toBe(
      "1 virtual device on this computer, 1 worker process.",
    );
    expect(byteText(170_052_171)).toBe("170 MB");
    expect(byteText(1_234)).toBe("1.2 kB");
    expect(byteText(999_900)).toBe("1.0 MB");
  });

  it("counts only what travels", () => {
    const study = parsed({
      algorithms: ["fedavg", "fedper"],
      evaluation: { central: false, federated: true },
      rounds: 1,
    });
    const parameters = modelParameters("Net", 10);
    const facts = { parameters, engine: undefined, examples: undefined, workers: 1, cores: 1, history: [] };
    const both = studyCost(study, facts);
    const fedavg = studyCost({ ...study, algorithms: ["fedavg"] }, facts);
    const fedper = studyCost({ ...study, algorithms: ["fedper"] }, facts);
    expect(fedper.updateBytes).toBeLessThan(fedavg.updateBytes);
    expect(both.wireBytes).toBe(fedavg.wireBytes + fedper.wireBytes);
    expect(both.updateBytes).toBe(fedavg.updateBytes);
  });

  it("reads a study without what is wrong in it", () => {
    const { study, doubtful } = readLeniently({ ...input(), name: "", batchSize: "x", optimizer: {} });
    expect(study).toMatchObject({ batchSize: 32, rounds: 3 });
    expect([...doubtful].sort()).toEqual(["batchSize", "name", "optimizer"]);
  });
});
