import { beforeAll, expect, test } from "vitest";
import type { ImageSet } from "#contract/dataset.ts";
import { float32Tensor, type NamedTensor, toFloat32Array } from "#contract/tensor.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { assembleWeights } from "#main/virtual-devices/device-weights.ts";
import { everyIndex, formulaImages, labelled, MEAN, recipeOf, STD } from "./formula.ts";

/** Devices that keep their heads need not agree on the number of classes: only the features travel. */
let learner: Learner;
beforeAll(async () => {
  learner = createLearner(await openEngine({ threads: 2 }));
});

const KEEPS = ["fc3.weight", "fc3.bias"];

const device = (numClasses: number, from: number) => {
  const all = formulaImages(40);
  const images: ImageSet = { ...all, labels: all.labels.map((label) => (label + from) % numClasses) };
  let kept: readonly NamedTensor[] = [];
  const instruction = (round: number) => ({
    ...recipeOf("Net", { numClasses, round, keeps: KEEPS, keptFrom: round - 1, batchSize: 10 }),
    model: "Net" as const,
  });
  const ports = {
    device: "d",
    models: { parameters: modelParameters, initialWeights },
    kept: { load: async () => kept, save: async () => {} },
  };
  return {
    /** One round from the features that every device gets; returns its own. */
    train: async (features: readonly NamedTensor[], round: number) => {
      const recipe = instruction(round);
      const weights = await assembleWeights(recipe, features, ports);
      const trained = await learner.train({
        weights,
        recipe,
        images,
        indices: everyIndex(images),
        mean: MEAN,
        std: STD,
      });
      kept = trained.weights.filter((t) => KEEPS.includes(t.name));
      return trained.weights.filter((t) => !KEEPS.includes(t.name));
    },
    evaluate: async (features: readonly NamedTensor[], round: number) => {
      const weights = await assembleWeights(instruction(round + 1), features, ports);
      return learner.evaluate({
        ...labelled(images),
        weights,
        model: "Net",
        numClasses,
        mean: MEAN,
        std: STD,
      });
    },
    kept: () => kept,
  };
};

const mean = (a: readonly NamedTensor[], b: readonly NamedTensor[]): NamedTensor[] =>
  a.map((tensor, i) => {
    const other = toFloat32Array(b[i]!);
    const values = toFloat32Array(tensor).map((v, k) => (v + other[k]!) / 2);
    return { name: tensor.name, ...float32Tensor(tensor.shape, values) };
  });

test("two devices with different numbers of classes share their features and keep their heads", async () => {
  const devices = [device(10, 0), device(3, 1)];
  let features: readonly NamedTensor[] = initialWeights("Net", 10, 5).filter((t) => !KEEPS.includes(t.name));
  const losses: number[] = [];
  for (const round of [1, 2, 3, 4]) {
    const [a, b] = [await devices[0]!.train(features, round), await devices[1]!.train(features, round)];
    expect(a.map((t) => [t.name, t.shape])).toEqual(b.map((t) => [t.name, t.shape]));
    features = mean(a, b);
    const found = await Promise.all(devices.map((d) => d.evaluate(features, round)));
    expect(found.map((e) => e.perClass?.length)).toEqual([10, 3]);
    losses.push(found[0]!.metrics.loss! + found[1]!.metrics.loss!);
  }
  expect(devices.map((d) => d.kept().map((t) => t.shape[0]))).toEqual([
    [10, 10],
    [3, 3],
  ]);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
});
