import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type FeatureSettings,
  type LossSettings,
  MODEL_NAMES,
  type ModelName,
  type OptimizerSettings,
} from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import {
  everyIndex,
  formulaImages,
  formulaWeights,
  labelled,
  MEAN,
  numbersOf,
  positions,
  recipeOf,
  STD,
} from "./formula.ts";
import { logitsOf } from "./logits-of.ts";

interface Summary {
  readonly sum: number;
  readonly magnitude: number;
  readonly values: readonly number[];
}
interface Trained {
  readonly losses: readonly number[];
  readonly after: Readonly<Record<string, Summary>>;
}
/** What a model answers, in evaluation mode. */
interface Evaluated {
  readonly logits: readonly (readonly number[])[];
  readonly loss: number;
}
interface GoldenModel extends Evaluated {
  readonly pixelSum: number;
  readonly labels: readonly number[];
  readonly start: Readonly<Record<string, Summary>>;
  readonly ce1: Trained;
  readonly ntd1: Trained;
  readonly ntd2: Trained;
  readonly prox2?: Trained;
  /** With the feature at length 1. */
  readonly normalised?: Evaluated & { readonly ce1: Trained; readonly ce2: Trained; readonly ntd2: Trained };
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

const expectLogits = (found: Float32Array, { logits }: Evaluated): void => {
  logits.flat().forEach((value, i) => {
    expect(Math.abs(found[i]! - value), `logit ${i}`).toBeLessThan(TOLERANCE);
  });
};

const accuracyOf = ({ logits }: Evaluated, labels: readonly number[]): number =>
  logits.filter((row, i) => row.indexOf(Math.max(...row)) === labels[i]).length / labels.length;

const evaluate = (name: ModelName, feature: FeatureSettings = { kind: "plain" }) =>
  learner.evaluate({
    ...labelled(formulaImages(golden.batch[name])),
    feature,
    weights: formulaWeights(name),
    model: name,
    numClasses: 10,
    mean: MEAN,
    std: STD,
    batchSize: 5,
  });

const run = async (
  name: ModelName,
  steps: number,
  loss: LossSettings,
  optimizer: Partial<OptimizerSettings>,
  feature: FeatureSettings = { kind: "plain" },
) => {
  const images = formulaImages(golden.batch[name]);
  return learner.train({
    weights: formulaWeights(name),
    recipe: recipeOf(name, { localEpochs: steps, loss, feature, optimizer }),
    images,
    indices: everyIndex(images),
    mean: MEAN,
    std: STD,
  });
};

describe.each(MODEL_NAMES)("%s as PyTorch computes it", (name) => {
  const sgd = { ...SGD, lr: golden.lr[name] };
  const expected = golden.models[name];

  test("the formulas give the same images, labels and weights", () => {
    const images = formulaImages(golden.batch[name]);
    expect(images.pixels.reduce((a, b) => a + b, 0)).toBe(expected.pixelSum);
    expect([...images.labels]).toEqual(expected.labels);
    if (name !== "ResNet18") expectSummary(formulaWeights(name), expected.start);
  });

  test("logits in evaluation mode", () => {
    expectLogits(logitsOf(learner.engine, name, formulaWeights(name), golden.batch[name]), expected);
  });

  test("loss and accuracy", async () => {
    const evaluation = await evaluate(name);
    expect(Math.abs(evaluation.metrics.loss! - expected.loss)).toBeLessThan(TOLERANCE);
    expect(evaluation.metrics.accuracy).toBe(accuracyOf(expected, expected.labels));
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

describe.each(["Net", "ResNet8"] as const)("%s with its feature at length 1", (name) => {
  const feature = { kind: "l2-normalised" } as const;
  const sgd = { ...SGD, lr: golden.lr[name] };
  const { labels, normalised } = golden.models[name];
  const expected = normalised!;

  test("logits, loss and accuracy in evaluation mode", async () => {
    expectLogits(logitsOf(learner.engine, name, formulaWeights(name), golden.batch[name], feature), expected);
    const evaluation = await evaluate(name, feature);
    expect(Math.abs(evaluation.metrics.loss! - expected.loss)).toBeLessThan(TOLERANCE);
    expect(evaluation.metrics.accuracy).toBe(accuracyOf(expected, labels));
  });

  test.each([
    ["one step of cross-entropy", 1, { kind: "ce" }, "ce1"],
    ["two steps of cross-entropy", 2, { kind: "ce" }, "ce2"],
    ["two steps of not-true distillation, whose teacher normalises too", 2, NTD, "ntd2"],
  ] as const)("%s", async (_, steps, loss, which) => {
    const result = await run(name, steps, loss, sgd, feature);
    expect(Math.abs(result.loss - expected[which].losses.at(-1)!)).toBeLessThan(TOLERANCE);
    expectSummary(result.weights, expected[which].after);
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
