import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { planWorkers } from "#main/virtual-devices/virtual-devices.ts";
import { type FitAnswer, type FleetLab, firstWeights, openFleetLab, sha256Of } from "./virtual-lab.ts";

let lab: FleetLab | undefined;
afterEach(async () => {
  await lab?.close();
  lab = undefined;
});

const fitAll = async (opened: FleetLab, round: number, count: number): Promise<FitAnswer[]> => {
  const weights = firstWeights();
  const sessions = await opened.joined(count);
  const answers = await Promise.all(
    sessions.map((session) => opened.fit(session, opened.recipe(round, session.device), weights)),
  );
  return answers.map((answer) => {
    if (!answer.ok) throw new Error(answer.failure.cause);
    return answer.value;
  });
};

test("eight devices on two workers train for two rounds, and evaluate", async () => {
  lab = await openFleetLab({ devices: 8, workers: 2 });
  await lab.start();
  expect(lab.fleet.engine().threads).toBe(1);
  expect(lab.fleet.workers().map((w) => w.devices.length)).toEqual([4, 4]);
  for (const round of [1, 2]) {
    const answers = await fitAll(lab, round, 8);
    expect(answers.map((a) => a.device)).toEqual(Array.from({ length: 8 }, (_, i) => `virtual-${i + 1}`));
    expect(new Set(answers.map((a) => sha256Of(a.parameters))).size).toBe(8);
    for (const { device, examples, metrics } of answers) {
      expect(examples).toBe(50);
      expect(metrics.device).toBe(device);
      expect(metrics.loss).toBeGreaterThan(0);
      expect(metrics.accuracy).toBeGreaterThanOrEqual(0);
      expect(metrics.compute_ms).toBeGreaterThan(0);
    }
  }
  const [session] = await lab.joined(8);
  const { keeps, keptFrom, initSeed, run, model, numClasses } = lab.recipe(2, "virtual-1");
  const instruction = { round: 2, keeps, keptFrom, initSeed, run, model, numClasses };
  const answer = await lab.evaluate(session!, instruction, firstWeights());
  expect(answer.status.code).toBe(0);
  expect(answer.examples).toBe(10);
  expect(answer.metrics.correct).toBe(Math.round(Number(answer.metrics.accuracy) * 10));
  expect(new Set(lab.trainings.map(({ device }) => device)).size).toBe(8);
});

test("a result does not depend on the worker that hosts a device", async () => {
  const hashes: string[][] = [];
  for (const workers of [1, 3]) {
    const opened = await openFleetLab({ devices: 3, workers });
    lab = opened;
    await opened.start();
    const answers = await fitAll(opened, 1, 3);
    hashes.push(answers.map((a) => sha256Of(a.parameters)));
    await opened.close();
  }
  expect(hashes[0]).toEqual(hashes[1]);
});

test("a fleet that starts deletes what killed workers left half written", async () => {
  lab = await openFleetLab({ devices: 1, workers: 1 });
  const folder = join(lab.keptDir, "r-1", "virtual-1");
  mkdirSync(folder, { recursive: true });
  for (const name of [".2.safetensors.00ff.unfinished", "1.safetensors"])
    writeFileSync(join(folder, name), "");
  await lab.start();
  expect(readdirSync(folder)).toEqual(["1.safetensors"]);
});

test("a computer gets as many workers as it has cores, devices and memory for, and at least one", () => {
  const gigabytes = 2 ** 30;
  const plan = { cores: 8, devices: 100, model: "ResNet18", memoryBytes: 64 * gigabytes } as const;
  expect(planWorkers(plan)).toEqual({ workers: 8, threadsPerWorker: 1 });
  expect(planWorkers({ ...plan, devices: 3 }).workers).toBe(3);
  expect(planWorkers({ ...plan, memoryBytes: 3 * gigabytes }).workers).toBe(2);
  expect(planWorkers({ ...plan, memoryBytes: 0 }).workers).toBe(1);
  expect(planWorkers({ ...plan, model: "Net", memoryBytes: 3 * gigabytes }).workers).toBe(5);
});
