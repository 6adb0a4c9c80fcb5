import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { StudyInput } from "#contract/study.ts";
import { documentOf, fedfleet, figures, scratchFolder, startFedfleet, writeStudy } from "./command.ts";

let scratch: ReturnType<typeof scratchFolder>;
beforeAll(() => {
  scratch = scratchFolder();
});
afterAll(() => scratch.remove());

const example = parse(readFileSync("examples/first-study.yaml", "utf8")) as StudyInput;
const small: StudyInput = {
  ...example,
  name: "small",
  trials: 1,
  rounds: 2,
  fleet: { virtual: 2 },
  sampling: {},
};
/** Every test has a lab of its own, called after its study: one that hangs holds up no other. */
const labOf = (name: string) => join(scratch.path, `${name}-lab`);
const run = (study: StudyInput | Record<string, unknown>, name: string, env: NodeJS.ProcessEnv = {}) =>
  fedfleet(["run", writeStudy(scratch.path, study, name), "--data-dir", labOf(name), "--json"], env);

describe("fedfleet run", () => {
  test("the first study: 6 runs × 3 rounds, and the same figures and weights when it is run again", {
    timeout: 600_000,
  }, async () => {
    const once = await fedfleet(["run", "examples/first-study.yaml", "--data-dir", labOf("first"), "--json"]);
    expect(once.stderr).toContain("accuracy");
    expect(once.code).toBe(0);
    const document = documentOf(once);
    expect(document.runs.map((r) => [r.algorithm, r.trial, r.status, r.rounds.map((x) => x.round)])).toEqual(
      [1, 2, 3].flatMap((trial) => ["fedavg", "fedntd"].map((a) => [a, trial, "done", [1, 2, 3]])),
    );
    for (const r of document.runs.flatMap((x) => x.rounds)) {
      expect(r.failures).toEqual([]);
      expect(r.clients).toHaveLength(4);
      expect(r.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(document.study.partition.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(document.study.partition.histogram.flat().reduce((a, b) => a + b)).toBe(6000);
    // a fair pair shares its seed; trials do not
    expect(new Set(document.runs.map((r) => r.seed)).size).toBe(3);
    const again = await fedfleet([
      "run",
      "examples/first-study.yaml",
      "--data-dir",
      labOf("first"),
      "--json",
    ]);
    expect(figures(documentOf(again))).toEqual(figures(document));
  });

  test("an iid partition learns to above 0.5 in three rounds", async () => {
    const document = documentOf(
      await run({ ...example, name: "iid", partition: { kind: "iid" }, trials: 1 }, "iid"),
    );
    for (const r of document.runs) expect(r.rounds.at(-1)!.accuracy).toBeGreaterThan(0.5);
  });

  test("fedntd with beta 0 and fedprox with mu 0 are fedavg to the bit", async () => {
    const document = documentOf(
      await run(
        { ...small, algorithms: ["fedavg", "fedntd", "fedprox"], fedntd: { beta: 0 }, fedprox: { mu: 0 } },
        "beta0",
      ),
    );
    const [fedavg, ...others] = figures(document);
    for (const other of others) expect(other.rounds).toEqual(fedavg!.rounds);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a wrong key", { ...small, localEpoch: 1 }, /localEpoch: no such setting/],
    ["a wrong type", { ...small, rounds: "three" }, /rounds: .*number/],
    [
      "an impossible partition",
      { ...small, partition: { kind: "class-skew", classes: 11 } },
      /partition\.classes: /,
    ],
    [
      "more clients than samples",
      { ...small, fleet: { virtual: 7000 }, sampling: {} },
      /fleet\.virtual|partition/,
    ],
    ["a missing data set", { ...small, dataset: "cifar10" }, /dataset: .*cifar10/],
    ["an unknown data set", { ...small, dataset: "cifar1O" }, /dataset: .*cifar1O/],
    ["an unknown device", { ...small, fleet: { devices: ["jetson-1"] } }, /fleet\.devices\[0\]: .*jetson-1/],
  ])("%s: exit 2, and the field's path", async (_, study, message) => {
    const finished = await run(study, "wrong");
    expect(finished.stderr).toMatch(message);
    expect(finished.code).toBe(2);
    expect(finished.stdout).toBe("");
  });

  test("a file that is no YAML, and one that is not there: exit 2 with its name", async () => {
    const broken = join(scratch.path, "broken.yaml");
    writeFileSync(broken, "name: [unclosed\nrounds: 3");
    const alias = join(scratch.path, "alias.yaml");
    writeFileSync(alias, "name: *nope");
    for (const file of [broken, alias, join(scratch.path, "nowhere.yaml")]) {
      const finished = await fedfleet(["run", file, "--data-dir", labOf("broken")]);
      expect(finished.code).toBe(2);
      expect(finished.stderr).toContain(file);
    }
  });

  test("a second process on the same data directory is refused and told of the first; one that only looks is not", async () => {
    const dataDir = labOf("long");
    const file = writeStudy(scratch.path, { ...small, rounds: 50 }, "long");
    const first = startFedfleet(["run", file, "--data-dir", dataDir]);
    await first.said("round 1/50");
    const second = await fedfleet(["resume", "--data-dir", dataDir]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(String(first.child.pid));
    // Who only looks is let in beside it, and disturbs nothing.
    const listed = await fedfleet(["list", "--data-dir", dataDir, "--json"]);
    expect(listed.code, listed.stderr).toBe(0);
    const [study] = JSON.parse(listed.stdout) as { id: string; status: string }[];
    expect(study).toMatchObject({ status: "running" });
    const exported = await fedfleet(["export", study!.id, "--format", "rounds-csv", "--data-dir", dataDir]);
    expect(exported.stdout.split("\r\n").length).toBeGreaterThan(2);
    first.child.kill("SIGKILL");
    await first.done;
    expect((await fedfleet(["list", "--data-dir", dataDir])).code).toBe(0);
  });

  test("rehearsals: drop-outs and crashes cost failures with names, and the run goes on", async () => {
    const document = documentOf(
      await run(
        {
          ...small,
          name: "rehearsal",
          // Gentle enough that no device diverges by itself, on any engine.
          partition: { kind: "iid" },
          algorithms: ["fedavg"],
          rounds: 4,
          fleet: {
            virtual: [
              { count: 3, name: "steady" },
              { count: 2, name: "shaky", dropOut: 0.7 },
            ],
          },
        },
        "rehearsal",
      ),
    );
    const rounds = document.runs[0]!.rounds;
    expect(rounds).toHaveLength(4);
    const failures = rounds.flatMap((r) => r.failures);
    expect(failures.length).toBeGreaterThan(0);
    expect(new Set(failures.map((f) => f.code))).toEqual(new Set(["connection-lost"]));
    for (const f of failures) expect(f.device).toMatch(/^shaky-/);
    for (const r of rounds) expect(r.clients.filter((c) => c.startsWith("steady"))).toHaveLength(3);
  });

  test("draws do not depend on which device starts first, however few the study waits for", async () => {
    const few = {
      ...small,
      name: "few",
      algorithms: ["fedavg"],
      partition: { kind: "iid" },
      fleet: { virtual: 40 },
      sampling: { fraction: 0.1, minAvailable: 2 },
      evaluation: { federated: false },
    } satisfies StudyInput;
    const [first, again] = [documentOf(await run(few, "few")), documentOf(await run(few, "few"))];
    for (const r of first.runs[0]!.rounds) expect(r.clients).toHaveLength(4);
    expect(figures(again)).toEqual(figures(first));
  });

  test("a port in use: exit 2, and nothing is left to resume", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const file = writeStudy(scratch.path, { ...small, fleet: { external: 1 } }, "port");
    const finished = await fedfleet([
      "run",
      file,
      "--data-dir",
      labOf("port"),
      "--listen",
      `127.0.0.1:${port}`,
    ]);
    server.close();
    expect(finished.stderr).toContain(String(port));
    expect(finished.code).toBe(2);
    const resumed = await fedfleet(["resume", "--data-dir", labOf("port")]);
    expect(resumed.stderr).toContain("no interrupted study to resume");
  });

  test("fedper keeps each classifier at home", async () => {
    const finished = await run(
      {
        ...small,
        name: "fedper",
        algorithms: ["fedavg", "fedper"],
        evaluation: { central: false, federated: true },
      },
      "fedper",
    );
    expect(finished.code).toBe(0);
    for (const r of documentOf(finished).runs) expect(r.rounds.at(-1)!.accuracy).toBeGreaterThan(0.1);
  });
});

describe("stopping and resuming", () => {
  const study = {
    ...small,
    name: "stops",
    algorithms: ["fedavg", "fedadam"],
    rounds: 6,
  } satisfies StudyInput;
  const start = (dir: string) =>
    startFedfleet(["run", writeStudy(scratch.path, study, "stops"), "--data-dir", dir, "--json"]);

  test("Ctrl-C once finishes the round, twice stops at once; resume ends on the uninterrupted curve", async () => {
    const whole = documentOf(await start(join(scratch.path, "whole")).done);
    const dir = join(scratch.path, "stopped");
    const first = start(dir);
    await first.said("round 2/6");
    first.child.kill("SIGINT");
    const stopped = await first.done;
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/resume s-/);
    const partial = documentOf(stopped);
    expect(partial.runs[0]!.rounds.length).toBeGreaterThanOrEqual(2);
    expect(partial.runs[0]!.rounds.length).toBeLessThan(6);

    const second = startFedfleet(["resume", "--data-dir", dir, "--json"]);
    await second.said(/FedAdam, trial 1 · round 1/);
    second.child.kill("SIGINT");
    second.child.kill("SIGINT");
    await second.said("Stopping after this round");
    second.child.kill("SIGINT");
    expect((await second.done).code).toBe(130);

    const last = await fedfleet(["resume", partial.study.id, "--data-dir", dir, "--json"]);
    expect(last.code).toBe(0);
    expect(figures(documentOf(last))).toEqual(figures(whole));
    const nothing = await fedfleet(["resume", "--data-dir", dir]);
    expect(nothing.code).toBe(0);
    expect(nothing.stderr).toContain("no interrupted study to resume");
  });

  test("Ctrl-C twice in the middle of a training: the process ends at once, in order, and resume goes on", async () => {
    const long = { ...study, localEpochs: 60 } satisfies StudyInput;
    const dir = labOf("twice");
    const running = startFedfleet(["run", writeStudy(scratch.path, long, "twice"), "--data-dir", dir]);
    await running.said("before training");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running.child.kill("SIGINT");
    await running.said("Stopping after this round");
    const asked = performance.now();
    running.child.kill("SIGINT");
    const ended = await running.done;
    expect(ended.stderr).not.toMatch(/Error|at .*\.ts:/);
    expect(ended.code).toBe(130);
    expect(performance.now() - asked).toBeLessThan(15_000);
    const listed = await fedfleet(["list", "--data-dir", dir, "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ status: "interrupted" }]);
  });

  test("kill -9 at 20 random instants, each resumed: the final weights are those of the uninterrupted run", {
    timeout: 900_000,
  }, async () => {
    const many = { ...study, rounds: 16 } satisfies StudyInput;
    const file = writeStudy(scratch.path, many, "kills");
    const whole = documentOf(await fedfleet(["run", file, "--data-dir", labOf("whole-of-kills"), "--json"]));
    const dir = labOf("kills");
    // A private generator: which instants are hit must not depend on anything else.
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state / 2 ** 32;
    };
    let running = startFedfleet(["run", file, "--data-dir", dir, "--json"]);
    await running.said("stops (s-");
    for (let kills = 0; kills < 20; kills += 1) {
      // Every other kill falls anywhere in start-up and the first round; the rest once rounds go by, which is where
      // training, folding, checkpoint, evaluation and recording take turns.
      if (kills % 2 === 1) await running.said("· round ");
      await new Promise((resolve) => setTimeout(resolve, random() * (kills % 2 === 1 ? 900 : 2500)));
      expect(running.child.exitCode, "the study was over before it was killed 20 times").toBeNull();
      running.child.kill("SIGKILL");
      await running.done;
      running = startFedfleet(["resume", "--data-dir", dir, "--json"]);
    }
    const last = await running.done;
    expect(last.code, last.stderr).toBe(0);
    expect(figures(documentOf(last))).toEqual(figures(whole));
  });
});

describe("fedfleet export", () => {
  test("every format tells the figures of the database", async () => {
    const document = documentOf(await run({ ...small, name: "to export", trials: 2 }, "export"));
    const id = document.study.id;
    const out = async (format: string) => {
      const finished = await fedfleet(["export", id, "--format", format, "--data-dir", labOf("export")]);
      expect(finished.stderr).toBe("");
      expect(finished.code).toBe(0);
      return finished.stdout;
    };
    const accuracy = (document.runs[0]!.rounds.at(-1)!.accuracy! * 100).toFixed(2);
    expect(await out("csv")).toContain(accuracy);
    expect(await out("markdown")).toContain(accuracy);
    expect(await out("latex")).toContain(accuracy);
    expect(await out("text")).toContain(accuracy);
    expect(await out("json")).toContain(String(document.runs[0]!.rounds.at(-1)!.accuracy));
    const rounds = (await out("rounds-csv")).trim().split(/\r?\n/);
    expect(rounds.length).toBeGreaterThanOrEqual(1 + 4 * 2);
    const missing = await fedfleet(["export", "s-nothing", "--format", "csv", "--data-dir", labOf("export")]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("s-nothing");
  });
});
