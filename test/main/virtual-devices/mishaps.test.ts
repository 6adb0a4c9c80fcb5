import { afterEach, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { CALM, type FleetLab, firstWeights, isAlive, openFleetLab, SAMPLE, until } from "./virtual-lab.ts";

let lab: FleetLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const fitRound = async (opened: FleetLab, round: number, count: number) => {
  const sessions = await opened.joined(count);
  return await Promise.all(
    sessions.map(async (session) => ({
      device: session.device,
      answer: await opened.fit(session, opened.recipe(round, session.device), firstWeights()),
    })),
  );
};

test("a device that drops out fails alone, in the middle of its training, and rejoins", async () => {
  lab = await openFleetLab({
    devices: 3,
    workers: 1,
    profile: (i) => ({ ...CALM, dropOut: i === 1 ? 1 : 0 }),
  });
  await lab.start();
  for (const round of [1, 2]) {
    const startedAt = performance.now();
    const answers = await fitRound(lab, round, 3);
    expect(answers.map(({ answer }) => answer.ok)).toEqual([true, false, true]);
    const failure = answers[1]!.answer;
    expect(!failure.ok && failure.failure.code).toBe("connection-lost");
    expect(!failure.ok && failure.failure.stage).toBe("fit");
    const explained = failure.ok ? undefined : await lab.fleet.explain(failure.failure);
    expect(explained).toMatchObject({ device: "virtual-2", code: "connection-lost", stage: "fit" });
    expect(explained!.cause).toMatch(/dropped out .*\(simulated\)/);
    await lab.joined(3);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
  }
  expect(lab.events.filter((e) => e.kind === "device-joined" && e.device === "virtual-2")).toHaveLength(3);
});

test("a crash takes the whole worker down; it starts again, and its devices rejoin", async () => {
  lab = await openFleetLab({
    devices: 4,
    workers: 2,
    profile: (i) => ({ ...CALM, crash: i === 0 ? 1 : 0 }),
  });
  await lab.start();
  const before = lab.fleet.workers().map((w) => w.pid);
  const answers = await fitRound(lab, 1, 4);
  const failed = answers.filter(({ answer }) => !answer.ok).map(({ device }) => device);
  expect(failed).toContain("virtual-1");
  expect(["virtual-1", "virtual-3"]).toEqual(expect.arrayContaining(failed));
  for (const { device, answer } of answers) {
    if (answer.ok) continue;
    const explained = await lab.fleet.explain(answer.failure);
    expect(explained).toMatchObject({ device, code: "worker-crashed" });
    expect(explained.cause).toMatch(
      device === "virtual-1" ? /its worker process crashed .*\(simulated\)/ : /shares with virtual-1/,
    );
  }
  await until(() => lab!.events.some((e) => e.kind === "device-left" && /crashed/.test(e.reason)));
  const left = lab.events.filter((e) => e.kind === "device-left" && /crashed \(simulated\)/.test(e.reason));
  expect(left.map((e) => e.kind === "device-left" && e.device)).toEqual(["virtual-1", "virtual-3"]);
  const sessions = await lab.joined(4);
  expect(sessions).toHaveLength(4);
  const after = lab.fleet.workers().map((w) => w.pid);
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).toBe(before[1]);
  const again = await Promise.all(
    sessions.slice(1).map((s) => lab!.fit(s, lab!.recipe(2, s.device), firstWeights())),
  );
  expect(again.every((answer) => answer.ok)).toBe(true);
});

test("a worker that somebody kills is named, started again, and trains as before", async () => {
  lab = await openFleetLab({ devices: 2, workers: 1 });
  await lab.start();
  const [first] = await lab.joined(2);
  const answer = lab.fit(first!, lab.recipe(1, "virtual-1", { localEpochs: 1000 }), firstWeights());
  await until(() => lab!.trainings.length > 0);
  process.kill(lab.fleet.workers()[0]!.pid!, "SIGKILL");
  const lost = await answer;
  const explained = lost.ok ? undefined : await lab.fleet.explain(lost.failure);
  expect(explained).toMatchObject({ code: "worker-crashed", next: "It restarts in 0.2 s." });
  expect(explained!.cause).toMatch(/SIGKILL.*memory/);
  await until(() => lab!.events.some((e) => e.kind === "device-left" && /SIGKILL.*memory/.test(e.reason)));
  const answers = await fitRound(lab, 1, 2);
  expect(answers.every(({ answer }) => answer.ok)).toBe(true);
});

test("a slow device takes its time without holding up its neighbours", async () => {
  lab = await openFleetLab({
    devices: 3,
    workers: 1,
    samples: 200,
    profile: (i) => ({ ...CALM, slowness: i === 0 ? 6 : 1 }),
  });
  await lab.start();
  const sessions = await lab.joined(3);
  const startedAt = performance.now();
  const took = await Promise.all(
    sessions.map(async (session) => {
      const answer = await lab!.fit(session, lab!.recipe(1, session.device), firstWeights());
      if (!answer.ok) throw new Error(answer.failure.cause);
      return { ms: performance.now() - startedAt, compute: Number(answer.value.metrics.compute_ms) };
    }),
  );
  const [slow, ...others] = took;
  expect(slow!.ms).toBeGreaterThanOrEqual(slow!.compute * 6 - 20);
  for (const other of others) expect(other.ms).toBeLessThan(slow!.ms);
});

test("a training that diverges is an answer with the reason; the next round is as any other", async () => {
  lab = await openFleetLab({ devices: 2, workers: 1 });
  await lab.start();
  const [session] = await lab.joined(2);
  const recipe = lab.recipe(1, "virtual-1");
  const wild = { ...recipe, localEpochs: 5, optimizer: { ...recipe.optimizer, lr: 1e12 } };
  const answer = await lab.fit(session!, wild, firstWeights());
  expect(!answer.ok && answer.failure.cause).toMatch(/diverged.*learning rate/);
  const wrong = await lab.fit(session!, { ...recipe, model: "FedAvgNet" }, firstWeights());
  expect(!wrong.ok && wrong.failure.cause).toMatch(/FedAvgNet/);
  const unknown = await lab.fit(session!, { ...recipe, keeps: ["fc9.weight"] }, firstWeights());
  expect(!unknown.ok && unknown.failure.cause).toMatch(/fc9\.weight/);
  expect((await lab.fit(session!, lab.recipe(2, "virtual-1"), firstWeights())).ok).toBe(true);
});

test("a worker that cannot load its data refuses with what to mend", async () => {
  lab = await openFleetLab({ devices: 2, workers: 2, dataset: { ...SAMPLE, path: "/no/such/folder" } });
  await expect(lab.start()).rejects.toThrow(UserError);
  expect(lab.fleet.workers().every((w) => w.pid === undefined)).toBe(true);
});

test("a worker that dies again and again is given up, with the reason and its last words", async () => {
  const errors: Error[] = [];
  lab = await openFleetLab({
    devices: 1,
    workers: 1,
    entry: new URL("./broken-worker.ts", import.meta.url),
    onGivenUp: (error) => errors.push(error),
  });
  const startedAt = performance.now();
  await expect(lab.start()).rejects.toThrow(/virtual-1 died five times in a row.*code 3.*no luck today/s);
  // 0.2 + 0.4 + 0.8 + 1.6 s between the five.
  expect(performance.now() - startedAt).toBeGreaterThan(2900);
  expect(errors).toHaveLength(1);
  expect(lab.events.filter((e) => e.kind === "device-left")).toHaveLength(5);
});

test("stopping ends every worker", async () => {
  lab = await openFleetLab({ devices: 4, workers: 2 });
  await lab.start();
  await lab.joined(4);
  const pids = lab.fleet.workers().map((w) => w.pid!);
  expect(pids.every(isAlive)).toBe(true);
  await lab.fleet.stop();
  await lab.fleet.stop();
  expect(pids.some(isAlive)).toBe(false);
  await until(() => lab!.aggregator.sessions().length === 0);
});
