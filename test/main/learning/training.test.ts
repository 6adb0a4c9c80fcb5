import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { ImageSet } from "#contract/dataset.ts";
import type { LossSettings } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { DivergedError, type TrainInput } from "#main/learning/training.ts";
import { everyIndex, formulaImages, labelled, MEAN, numbersOf, recipeOf, STD } from "./formula.ts";

let learner: Learner;
beforeAll(async () => {
  learner = createLearner(await openEngine({ threads: 2 }));
});

const sha = (weights: readonly NamedTensor[]): string => {
  const hash = createHash("sha256");
  for (const { bytes } of weights) hash.update(bytes);
  return hash.digest("hex");
};

const images = formulaImages(70);
const input = (changes: Parameters<typeof recipeOf>[1] & { model?: string } = {}): TrainInput => {
  const { model = "Net", ...rest } = changes;
  return {
    weights: initialWeights(model as "Net", 10, 3),
    recipe: recipeOf(model, { batchSize: 32, localEpochs: 2, optimizer: { momentum: 0.9 }, ...rest }),
    images,
    indices: everyIndex(images),
    mean: MEAN,
    std: STD,
  };
};
const weightsAfter = async (loss: LossSettings, model = "Net"): Promise<string> =>
  sha((await learner.train(input({ loss, model }))).weights);

describe.each(["Net", "ResNet8"])("%s", (model) => {
  test("the same input gives the same bytes, another seed others", async () => {
    const first = await learner.train(input({ model }));
    const second = await learner.train(input({ model }));
    expect(sha(second.weights)).toBe(sha(first.weights));
    expect(second.loss).toBe(first.loss);
    expect(sha((await learner.train(input({ model, seed: 8 }))).weights)).not.toBe(sha(first.weights));
  });

  test("beta 0 and mu 0 are FedAvg to the bit; other values are not", async () => {
    const plain = await weightsAfter({ kind: "ce" }, model);
    expect(await weightsAfter({ kind: "ntd", tau: 3, beta: 0, tauSquared: true }, model)).toBe(plain);
    expect(await weightsAfter({ kind: "prox", mu: 0 }, model)).toBe(plain);
    expect(await weightsAfter({ kind: "ntd", tau: 3, beta: 1, tauSquared: true }, model)).not.toBe(plain);
    expect(await weightsAfter({ kind: "prox", mu: 0.1 }, model)).not.toBe(plain);
  });

  test("no tensor of the engine is left behind", async () => {
    await learner.train(input({ model }));
    const { weights } = await learner.train(input({ model }));
    const evaluate = () =>
      learner.evaluate({
        ...labelled(images),
        weights,
        model,
        numClasses: 10,
        mean: MEAN,
        std: STD,
        batchSize: 32,
      });
    await evaluate();
    const before = learner.engine.tf.memory();
    await learner.train(input({ model }));
    await learner.train(input({ model, loss: { kind: "ntd", tau: 1, beta: 1, tauSquared: true } }));
    await evaluate();
    const after = learner.engine.tf.memory();
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
  });
});

/** The weights' SHA-256 of each `<model>/<loss>`, trained in a process of its own. */
const trainedElsewhere = (jobs: readonly string[], environment: NodeJS.ProcessEnv = {}): string[] => {
  const program = new URL("./train-once.ts", import.meta.url).pathname;
  const env = { ...process.env, ...environment };
  return execFileSync(process.execPath, [program, ...jobs], { encoding: "utf8", env })
    .trim()
    .split("\n");
};

test("another process computes the same bytes", async () => {
  expect(trainedElsewhere(["Net/ce"])).toEqual([await weightsAfter({ kind: "ce" })]);
});

/** WebAssembly's arithmetic is the same on every computer: a change of these bytes breaks recorded studies. */
const ALWAYS = {
  "Net/ce": "a8b3848b8706de508e8b819455597ebe2899409e431729a91cab0792e27652ad",
  "Net/ntd": "94e9e373297665e60a61d10bd441e5e87e37c900106f00bc2f2f483916ccd307",
  "FedAvgNet/prox": "c4b41eda402e13a6739512ae0cb92ca84ad74efe2a36b0e94b2347d87bbb4ad2",
  "ResNet8/ntd": "303b254648f83bc93565281c5e875682e317a785a473144aeda3807b208a5238",
};

test("training on wasm gives the bytes that it has always given", () => {
  expect(trainedElsewhere(Object.keys(ALWAYS), { FEDFLEET_ENGINE: "wasm" })).toEqual(Object.values(ALWAYS));
});

test("two calls may overlap", async () => {
  const [a, b] = await Promise.all([learner.train(input()), learner.train(input({ seed: 8 }))]);
  expect(sha(a.weights)).toBe(sha((await learner.train(input())).weights));
  expect(sha(b.weights)).toBe(sha((await learner.train(input({ seed: 8 }))).weights));
});

test("training lowers the loss and raises the accuracy", async () => {
  const from = input({ localEpochs: 40, batchSize: 10, optimizer: { lr: 0.02, momentum: 0.9 } });
  const evaluate = async (weights: readonly NamedTensor[]) => {
    const judged = { ...labelled(images), weights, model: "Net", numClasses: 10, mean: MEAN, std: STD };
    return (await learner.evaluate(judged)).metrics;
  };
  const before = await evaluate(from.weights);
  const after = await evaluate((await learner.train(from)).weights);
  expect(after.loss).toBeLessThan(before.loss! / 2);
  expect(after.accuracy).toBeGreaterThan(before.accuracy!);
});

test("the last batch is kept; a single image is skipped where there is batch normalisation", async () => {
  const seen: number[] = [];
  const indices = everyIndex(images).slice(0, 65);
  const train = (model: string) =>
    learner.train({ ...input({ model, localEpochs: 1 }), indices, onProgress: (f) => seen.push(f) });
  expect((await train("Net")).examples).toBe(65);
  expect(seen).toEqual([1 / 3, 2 / 3, 1]);
  const norm = await train("ResNet8");
  expect(norm.examples).toBe(64);
  const tracked = norm.weights.find((w) => w.name === "bn1.num_batches_tracked")!;
  expect(numbersOf(tracked)).toEqual([2]);
});

test("only the client's own samples count", async () => {
  const indices = [3, 5, 8, 13, 21];
  const spoiled: ImageSet = { ...images, pixels: images.pixels.slice() };
  everyIndex(images)
    .filter((i) => !indices.includes(i))
    .forEach((i) => {
      spoiled.pixels.fill(255, i * 3072, (i + 1) * 3072);
    });
  const a = await learner.train({ ...input(), indices });
  const b = await learner.train({ ...input(), indices, images: spoiled });
  expect(sha(b.weights)).toBe(sha(a.weights));
  expect(a.examples).toBe(5);
});

test("a client without samples returns its weights, and has nothing to evaluate", async () => {
  const from = input();
  const trained = await learner.train({ ...from, indices: [] });
  expect(trained.examples).toBe(0);
  expect(sha(trained.weights)).toBe(sha(from.weights));
  const set = { ...labelled(images), indices: [], mean: MEAN, std: STD };
  const evaluation = await learner.evaluate({ ...set, weights: from.weights, model: "Net", numClasses: 10 });
  expect(evaluation).toMatchObject({ metrics: { loss: 0, accuracy: 0 }, examples: 0 });
});

test("a loss that is no longer a number is reported with its epoch and batch", async () => {
  const wild = input({ optimizer: { lr: 1e20 } });
  const error = await learner.train(wild).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DivergedError);
  expect((error as Error).message).toMatch(/epoch 1, batch [23].*lower the learning rate/);
});

test("an abort ends training between batches, with the caller's reason", async () => {
  const controller = new AbortController();
  let batches = 0;
  const training = learner.train({
    ...input({ localEpochs: 50 }),
    signal: controller.signal,
    onProgress: () => {
      batches += 1;
      if (batches === 3) controller.abort(new Error("the round is over"));
    },
  });
  await expect(training).rejects.toThrow("the round is over");
  expect(batches).toBe(3);
});

test("greyscale 28×28 images get three channels and a black border", async () => {
  const greyscale: ImageSet = {
    count: 2,
    height: 28,
    width: 28,
    channels: 1,
    pixels: Uint8Array.from({ length: 2 * 784 }, (_, i) => (i * 7) % 256),
    labels: Uint8Array.of(1, 2),
  };
  const pixels = new Uint8Array(2 * 3072);
  for (let n = 0; n < 2; n += 1) {
    for (let y = 0; y < 28; y += 1) {
      for (let x = 0; x < 28; x += 1) {
        const value = greyscale.pixels[n * 784 + y * 28 + x]!;
        pixels.fill(value, n * 3072 + ((y + 2) * 32 + x + 2) * 3, n * 3072 + ((y + 2) * 32 + x + 3) * 3);
      }
    }
  }
  const full: ImageSet = { count: 2, height: 32, width: 32, channels: 3, pixels, labels: greyscale.labels };
  const train = (set: ImageSet) => learner.train({ ...input(), images: set, indices: [0, 1] });
  expect(sha((await train(greyscale)).weights)).toBe(sha((await train(full)).weights));
});

test("labels beyond the model's classes and samples beyond the set are refused", async () => {
  const labels = images.labels.slice();
  labels[4] = 10;
  await expect(learner.train({ ...input(), images: { ...images, labels } })).rejects.toThrow(
    /sample 4 has label 10, the model has 10 classes/,
  );
  await expect(learner.train({ ...input(), indices: [70] })).rejects.toThrow(/sample 70 is outside/);
});
