import { beforeAll, describe, expect, test } from "vitest";
import { MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import { float32Tensor, type NamedTensor, toFloat32Array } from "#contract/tensor.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import { modelParameters } from "#main/learning/models/models.ts";
import {
  everyIndex,
  formulaImages,
  formulaWeights,
  labelled,
  MEAN,
  numbersOf,
  recipeOf,
  STD,
} from "./formula.ts";
import { logitsOf } from "./logits-of.ts";

const NORMALISED = { kind: "l2-normalised" } as const;

let learner: Learner;
beforeAll(async () => {
  learner = createLearner(await openEngine({ threads: 2 }));
});

/** The weights with every element of the named tensors replaced. */
const changed = (
  weights: readonly NamedTensor[],
  names: readonly string[],
  change: (value: number) => number,
): NamedTensor[] =>
  weights.map((tensor) =>
    names.includes(tensor.name)
      ? { name: tensor.name, ...float32Tensor(tensor.shape, toFloat32Array(tensor).map(change)) }
      : tensor,
  );

describe("rows of length 1", () => {
  const rows = [
    [3, 0, 4],
    [-1e-3, 2e-3, 2e-3],
    [0, 0, 0],
    [1e15, 1e15, 0],
  ];
  const dy = [
    [1, -2, 0.5],
    [0.25, 1, -1],
    [1, 2, -3],
    [1, 0, 1],
  ];
  const tensorOf = (values: readonly (readonly number[])[]) =>
    learner.engine.tf.tensor2d(values as number[][]);

  test("keep their direction; a row of zeros stays one", () => {
    const { tf, ops } = learner.engine;
    const found = tf.tidy(() => ops.l2Normalise(tensorOf(rows)).arraySync()) as number[][];
    [
      [0.6, 0, 0.8],
      [-1 / 3, 2 / 3, 2 / 3],
      [0, 0, 0],
      [Math.SQRT1_2, Math.SQRT1_2, 0],
    ].forEach((row, r) => {
      row.forEach((value, i) => {
        expect(found[r]![i]).toBeCloseTo(value, 6);
      });
    });
  });

  test("have the gradient (dy − y (y · dy)) / ‖x‖, and PyTorch's dy / 1e-12 where a row is zero", () => {
    const { tf, ops } = learner.engine;
    const found = tf.tidy(() => ops.l2NormaliseGrad(tensorOf(rows), tensorOf(dy)).arraySync()) as number[][];
    // torch.nn.functional.normalize in float64
    [
      [0.08, -0.4, -0.06],
      [74.07407407407408, 351.85185185185185, -314.8148148148148],
      [1e12, 2e12, -3e12],
      [3.535533905932737e-16, -3.535533905932738e-16, 7.071067811865475e-16],
    ].forEach((row, r) => {
      row.forEach((value, i) => {
        expect(Math.abs(found[r]![i]! - value)).toBeLessThanOrEqual(1e-6 * Math.max(...row.map(Math.abs)));
      });
    });
  });

  test("and that gradient is the derivative", () => {
    const { tf, ops } = learner.engine;
    const x = [[0.3, -0.7, 1.1, 0.2]];
    const weights = [[0.5, -1, 2, 0.25]];
    const value = (at: number[][]) =>
      tf.tidy(() => tf.sum(tf.mul(ops.l2Normalise(tensorOf(at)), tensorOf(weights))).arraySync()) as number;
    const gradient = tf.tidy(() =>
      ops.l2NormaliseGrad(tensorOf(x), tensorOf(weights)).arraySync(),
    ) as number[][];
    x[0]!.forEach((_, i) => {
      const moved = (by: number) => [x[0]!.map((v, k) => (k === i ? v + by : v))];
      const slope = (value(moved(2 ** -8)) - value(moved(-(2 ** -8)))) / 2 ** -7;
      expect(gradient[0]![i]).toBeCloseTo(slope, 3);
    });
  });
});

test("every model says which of its parameters are the head, and they are the last", () => {
  const heads: Record<ModelName, string> = {
    Net: "fc3",
    FedAvgNet: "classifier",
    ResNet8: "fc",
    ResNet18: "fc",
  };
  for (const name of MODEL_NAMES) {
    const parameters = modelParameters(name, 7);
    const head = parameters.filter((p) => p.part === "head");
    expect(head.map((p) => p.name)).toEqual([`${heads[name]}.weight`, `${heads[name]}.bias`]);
    expect(parameters.slice(-2)).toEqual(head);
    expect(parameters.slice(0, -2).every((p) => p.part === "features")).toBe(true);
  }
});

test("a normalised feature has no scale: three times the last layer of the features, the same logits", () => {
  const weights = formulaWeights("Net");
  const larger = changed(weights, ["fc2.weight", "fc2.bias"], (v) => 3 * v);
  const before = logitsOf(learner.engine, "Net", weights, 6, NORMALISED);
  const after = logitsOf(learner.engine, "Net", larger, 6, NORMALISED);
  after.forEach((value, i) => {
    expect(value).toBeCloseTo(before[i]!, 5);
  });
  const plain = logitsOf(learner.engine, "Net", larger, 6);
  expect(Math.max(...plain.map((v, i) => Math.abs(v - before[i]!)))).toBeGreaterThan(0.1);
});

test("a feature of zeros gives the head's bias, and teaches the features nothing", async () => {
  const images = formulaImages(6);
  const dead = changed(formulaWeights("Net"), ["fc2.weight", "fc2.bias"], () => -1);
  const bias = toFloat32Array(dead.find((t) => t.name === "fc3.bias")!);
  const logits = logitsOf(learner.engine, "Net", dead, 6, NORMALISED);
  logits.forEach((value, i) => {
    expect(value).toBe(bias[i % 10]);
  });
  const { weights, loss } = await learner.train({
    weights: dead,
    recipe: recipeOf("Net", { feature: NORMALISED }),
    images,
    indices: everyIndex(images),
    mean: MEAN,
    std: STD,
  });
  expect(Number.isFinite(loss)).toBe(true);
  weights.forEach((tensor, i) => {
    if (tensor.name === "fc3.bias") expect(numbersOf(tensor)).not.toEqual([...bias]);
    else expect(numbersOf(tensor), tensor.name).toEqual(numbersOf(dead[i]!));
  });
});

test.each(["Net", "ResNet8"] as const)(
  "%s: training and evaluating leaves no tensor behind",
  async (name) => {
    const images = formulaImages(8);
    const data = { weights: formulaWeights(name), mean: MEAN, std: STD };
    const work = async () => {
      const loss = { kind: "ntd", tau: 1, beta: 1, tauSquared: true } as const;
      const recipe = recipeOf(name, { feature: NORMALISED, loss });
      await learner.train({ ...data, recipe, images, indices: everyIndex(images) });
      await learner.evaluate({
        ...data,
        ...labelled(images),
        feature: NORMALISED,
        model: name,
        numClasses: 10,
      });
    };
    await work();
    const before = learner.engine.tf.memory();
    await work();
    const after = learner.engine.tf.memory();
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
  },
);
