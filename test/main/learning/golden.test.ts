import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type LossSettings, MODEL_NAMES, type ModelName, type OptimizerSettings } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { createBatchSource } from "#main/learning/batches.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { batchLogits } from "#main/learning/evaluation.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import { modelDefinition } from "#main/learning/models/models.ts";
import { evaluationTensors, readState } from "#main/learning/state.ts";
import {
  everyIndex,
  formulaPictures,
  formulaWeights,
  MEAN,
  numbersOf,
  positions,
  recipeOf,
  STD,
} from "./formula.ts";

interface Summary {
  readonly sum: number;
  readonly magnitude: number;
  readonly values: readonly number[];
}
interface Trained {
  readonly losses: readonly number[];
  readonly after: Readonly<Record<string, Summary>>;
}
interface GoldenModel {
  readonly pixelSum: number;
  readonly labels: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly loss: number;
  readonly start: Readonly<Record<string, Summary>>;
  readonly ce1: Trained;
  readonly ntd1: Trained;
  readonly ntd2: Trained;
  readonly prox2?: Trained;
}
interface Golden {
  readonly torch: string;
  readonly batch: Readonly<Record<ModelName, number>>;
  readonly lr: Readonly<Record<ModelName, number>>;
  readonly models: Readonly<Record<ModelName, GoldenModel>>;
  readonly optimizers: Readonly<Record<string, Trained & { settings: Record<string, number | string> }>>;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL("../../golden/learning.json", import.meta.url), "utf8"),
);

let learner: Learner;
beforeAll(async () => {
  learner = createLearner(await openEngine({ threads: 2 }));
  console.info(`engine: ${learner.engine.info.kind}, ${learner.engine.info.version}`);
});

const TOLERANCE = 1e-4;
const SGD = { kind: "sgd", lr: 0.02, momentum: 0.9, nesterov: false, weightDecay: 0.001 } as const;
const NTD = { kind: "ntd", tau: 2, beta: 0.7, tauSquared: true } as const;

const expectSummary = (
  tensors: readonly NamedTensor[],
  expected: Readonly<Record<string, Summary>>,
): void => {
  expect(tensors.map((t) => t.name)).toEqual(Object.keys(expected));
  for (const tensor of tensors) {
    const { sum, magnitude, values } = expected[tensor.name]!;
    const numbers = numbersOf(tensor);
    const at = positions(numbers.length);
    at.forEach((position, i) => {
      const difference = Math.abs(numbers[position]! - values[i]!);
      expect(difference, `${tensor.name}[${position}]`).toBeLessThan(TOLERANCE);
    });
    // Sums see every element; their bound grows with the tensor, and stays far below one element moved.
    const bound = TOLERANCE * Math.max(1, magnitude / 10);
    expect(Math.abs(numbers.reduce((a, b) => a + b, 0) - sum), `sum of ${tensor.name}`).toBeLessThan(bound);
    const total = numbers.reduce((a, b) => a + Math.abs(b), 0);
    expect(Math.abs(total - magnitude), `magnitude of ${tensor.name}`).toBeLessThan(bound);
  }
};

const run = async (
  name: ModelName,
  steps: number,
  loss: LossSettings,
  optimizer: Partial<OptimizerSettings>,
) => {
  const pictures = formulaPictures(golden.batch[name]);
  return learner.train({
    weights: formulaWeights(name),
    recipe: recipeOf(name, { localEpochs: steps, loss, optimizer }),
    pictures,
    indices: everyIndex(pictures),
    mean: MEAN,
    std: STD,
  });
};

describe.each(MODEL_NAMES)("%s as PyTorch computes it", (name) => {
  const sgd = { ...SGD, lr: golden.lr[name] };
  const expected = golden.models[name];

  test("the formulas give the same pictures, labels and weights", () => {
    const pictures = formulaPictures(golden.batch[name]);
    expect(pictures.pixels.reduce((a, b) => a + b, 0)).toBe(expected.pixelSum);
    expect([...pictures.labels]).toEqual(expected.labels);
    if (name !== "ResNet18") expectSummary(formulaWeights(name), expected.start);
  });

  test("logits in evaluation mode", () => {
    const pictures = formulaPictures(golden.batch[name]);
    const { engine } = learner;
    const model = modelDefinition(name);
    const parameters = evaluationTensors(engine.tf, readState(model, 10, formulaWeights(name)));
    const batch = createBatchSource(pictures, MEAN, STD, pictures.count).take(everyIndex(pictures));
    const logits = batchLogits(engine, model, parameters, batch);
    for (const tensor of parameters.values()) tensor.dispose();
    expected.logits.flat().forEach((value, i) => {
      expect(Math.abs(logits[i]! - value), `logit ${i}`).toBeLessThan(TOLERANCE);
    });
  });

  test("loss and accuracy", async () => {
    const pictures = formulaPictures(golden.batch[name]);
    const evaluation = await learner.evaluate({
      weights: formulaWeights(name),
      model: name,
      numClasses: 10,
      pictures,
      mean: MEAN,
      std: STD,
      batchSize: 5,
    });
    expect(Math.abs(evaluation.metrics.loss! - expected.loss)).toBeLessThan(TOLERANCE);
    const right = expected.logits.filter(
      (row, i) => row.indexOf(Math.max(...row)) === expected.labels[i],
    ).length;
    expect(evaluation.metrics.accuracy).toBe(right / expected.labels.length);
    expect(evaluation.examples).toBe(expected.labels.length);
    expect(evaluation.perClass!.reduce((n, c) => n + c.total, 0)).toBe(expected.labels.length);
  });

  test("one step of cross-entropy: loss, parameters and BatchNorm buffers", async () => {
    const result = await run(name, 1, { kind: "ce" }, sgd);
    expect(Math.abs(result.loss - expected.ce1.losses[0]!)).toBeLessThan(TOLERANCE);
    expectSummary(result.weights, expected.ce1.after);
  });

  test("one and two steps of not-true distillation", async () => {
    const one = await run(name, 1, NTD, sgd);
    expect(Math.abs(one.loss - expected.ntd1.losses[0]!)).toBeLessThan(TOLERANCE);
    expectSummary(one.weights, expected.ntd1.after);
    const two = await run(name, 2, NTD, sgd);
    expect(Math.abs(two.loss - expected.ntd2.losses[1]!)).toBeLessThan(TOLERANCE);
    expectSummary(two.weights, expected.ntd2.after);
  });
});

test("two steps of FedProx", async () => {
  const expected = golden.models.Net.prox2!;
  const result = await run("Net", 2, { kind: "prox", mu: 0.3 }, SGD);
  expect(Math.abs(result.loss - expected.losses[1]!)).toBeLessThan(TOLERANCE);
  expectSummary(result.weights, expected.after);
});

describe("optimizers over three steps", () => {
  test.each(Object.entries(golden.optimizers))("%s", async (_, { settings, losses, after }) => {
    const { weight_decay: weightDecay = 0, ...rest } = settings;
    const result = await run("Net", 3, { kind: "ce" }, {
      ...rest,
      weightDecay,
    } as Partial<OptimizerSettings>);
    expect(Math.abs(result.loss - losses[2]!)).toBeLessThan(TOLERANCE);
    expectSummary(result.weights, after);
  });
});
