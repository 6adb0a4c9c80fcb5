import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { Recipe } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import {
  type FitAnswer,
  type FleetLab,
  firstWeights,
  isAlive,
  openFleetLab,
  parameterNames,
  sha256Of,
  until,
} from "./virtual-lab.ts";

let lab: FleetLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

test("Reconnect N: the device comes back after N seconds; Reconnect 0: never", async () => {
  lab = await openFleetLab({ devices: 2, workers: 1 });
  await lab.start();
  await lab.joined(2);
  const startedAt = performance.now();
  await lab.aggregator.disconnect("virtual-1", 1);
  expect(lab.aggregator.sessions().map((s) => s.device)).toEqual(["virtual-2"]);
  await lab.joined(2);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  await lab.aggregator.disconnect("virtual-1", 0);
  // The other one leaves later and comes back: by then this one would be back, too.
  await lab.aggregator.disconnect("virtual-2", 2);
  expect(lab.aggregator.sessions()).toEqual([]);
  await lab.joined(1);
  expect(lab.aggregator.sessions().map((s) => s.device)).toEqual(["virtual-2"]);
  const answer = await lab.fit(lab.aggregator.sessions()[0]!, lab.recipe(1, "virtual-2"), firstWeights());
  expect(answer.ok).toBe(true);
});

test.each(["flwr", "transport"] as const)("a device speaks the dialect %s", async (dialect) => {
  lab = await openFleetLab({ devices: 1, workers: 1, dialect });
  await lab.start();
  const [session] = await lab.joined(1);
  expect(session!.dialect).toBe(dialect);
  const properties = await session!.request({ kind: "getProperties", config: {} });
  if (!properties.ok || properties.value.message.kind !== "properties") throw new Error("no properties");
  expect(properties.value.message.properties).toMatchObject({ device: "virtual-1", training_examples: 50 });
  properties.value.release();
  const parameters = await session!.request({ kind: "getParameters", config: {} });
  if (!parameters.ok || parameters.value.message.kind !== "parameters") throw new Error("no parameters");
  expect(parameters.value.message.parameters).toHaveLength(parameterNames().length);
  parameters.value.release();
  const answer = await lab.fit(session!, lab.recipe(1, "virtual-1"), firstWeights());
  expect(answer.ok && answer.value.examples).toBe(50);
});

test("a device of the old dialect, which has no status, fails by leaving, and rejoins", async () => {
  lab = await openFleetLab({ devices: 1, workers: 1, dialect: "transport" });
  await lab.start();
  const [session] = await lab.joined(1);
  const answer = await lab.fit(session!, lab.recipe(1, "virtual-1", { keeps: ["none"] }), firstWeights());
  expect(!answer.ok && answer.failure.code).toBe("connection-lost");
  const [again] = await lab.joined(1);
  expect((await lab.fit(again!, lab.recipe(2, "virtual-1"), firstWeights())).ok).toBe(true);
});

const CLASSIFIER = parameterNames().slice(-2);
const keeping = (opened: FleetLab, round: number, keptFrom: number): Recipe =>
  opened.recipe(round, "virtual-1", { keeps: CLASSIFIER, keptFrom });

const fitOne = async (
  opened: FleetLab,
  recipe: Recipe,
  weights: readonly NamedTensor[],
): Promise<FitAnswer> => {
  const [session] = await opened.joined(1);
  const answer = await opened.fit(session!, recipe, weights);
  if (!answer.ok) throw new Error(answer.failure.cause);
  return answer.value;
};

/** What the server makes of an update: what travelled is new, what the device keeps stays as it was. */
const merged = (weights: readonly NamedTensor[], answer: FitAnswer): NamedTensor[] => {
  let at = 0;
  return weights.map((old) =>
    CLASSIFIER.includes(old.name) ? old : { ...answer.parameters[at++]!, name: old.name },
  );
};

test("what a device keeps goes on from round to round, through the death of its worker", async () => {
  lab = await openFleetLab({ devices: 1, workers: 1 });
  await lab.start();
  const weights = firstWeights();
  const first = await fitOne(lab, keeping(lab, 1, 0), weights);
  expect(first.parameters).toHaveLength(weights.length - CLASSIFIER.length);
  const second = await fitOne(lab, keeping(lab, 2, 1), merged(weights, first));

  // One device, nothing left out: two rounds with the classifier kept are two rounds with it travelling along.
  const whole = await fitOne(lab, lab.recipe(1, "virtual-1"), weights);
  const wholeWeights = weights.map((t, i) => ({ ...whole.parameters[i]!, name: t.name }));
  const wholeAgain = await fitOne(lab, lab.recipe(2, "virtual-1"), wholeWeights);
  const travelling = wholeAgain.parameters.slice(0, -CLASSIFIER.length);
  expect(sha256Of(second.parameters)).toBe(sha256Of(travelling));

  process.kill(lab.fleet.workers()[0]!.pid!, "SIGKILL");
  await until(() => lab!.aggregator.sessions().length === 0);
  // Round 2 again, as a resumed run asks for it, and an evaluation with what was kept of it.
  const resumed = await fitOne(lab, keeping(lab, 2, 1), merged(weights, first));
  expect(sha256Of(resumed.parameters)).toBe(sha256Of(second.parameters));
  const [session] = await lab.joined(1);
  const evaluation = { ...keeping(lab, 2, 2), round: 2 };
  const own = await lab.evaluate(session!, evaluation, travelOnly(merged(weights, second)));
  const { keeps: _, ...general } = evaluation;
  const wholeNow = weights.map((t, i) => ({ ...wholeAgain.parameters[i]!, name: t.name }));
  const same = await lab.evaluate(session!, { ...general, keeps: [] }, wholeNow);
  expect(own.status.code).toBe(0);
  expect(own.loss).toBe(same.loss);

  await fitOne(lab, keeping(lab, 3, 2), merged(weights, second));
  expect(readdirSync(`${lab.keptDir}/r-test/virtual-1`).sort()).toEqual(["2.safetensors", "3.safetensors"]);
  const [last] = await lab.joined(1);
  const lost = await lab.fit(last!, keeping(lab, 4, 1), weights);
  expect(!lost.ok && lost.failure.cause).toMatch(/kept in round 1 cannot be read/);
});

const travelOnly = (weights: readonly NamedTensor[]): NamedTensor[] =>
  weights.filter((t) => !CLASSIFIER.includes(t.name));

test("a hundred devices join and train on two workers, without a failure", async () => {
  lab = await openFleetLab({ devices: 100, workers: 2, samples: 20 });
  await lab.start();
  const sessions = await lab.joined(100);
  const weights = firstWeights();
  const answers = await Promise.all(sessions.map((s) => lab!.fit(s, lab!.recipe(1, s.device), weights)));
  expect(answers.filter((a) => !a.ok)).toEqual([]);
});

test("a Ctrl-C reaches no worker; workers end when the process that started them is killed", async () => {
  // A process group of its own, as a terminal gives one to a command.
  const parent = spawn(process.execPath, [fileURLToPath(new URL("./doomed-parent.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const pids = JSON.parse((await lines.next()).value ?? "[]") as number[];
  expect(pids).toHaveLength(2);
  process.kill(-parent.pid!, "SIGINT");
  expect((await lines.next()).value).toBe("interrupted");
  // Each leads a process group of its own, which the signal to its parent's group does not reach.
  expect(pids.every((pid) => isAlive(-pid))).toBe(true);
  expect(pids.every(isAlive)).toBe(true);
  parent.kill("SIGKILL");
  await until(() => !pids.some(isAlive), 5000);
});
