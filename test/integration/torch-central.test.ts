import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatasetLocation } from "#contract/dataset.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createEvaluator, type Evaluator } from "#main/learning/evaluator.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { writeSafetensors } from "#main/store/safetensors.ts";
import { recipeOf } from "#test/main/learning/formula.ts";

/**
 * Central evaluation as a run asks for it, in the evaluation process, against PyTorch on the same weights and the same
 * 1,000 test images.
 */

const python = "/usr/bin/python3";
const environment = { ...process.env };
delete environment.OPENBLAS_CORETYPE;
delete environment.OPENBLAS_L2_SIZE;
const hasTorch = spawnSync(python, ["-c", "import torch"], { env: environment }).status === 0;
const reason = "PyTorch is not installed (test/setup/install.sh installs it)";

const entry = new URL("../../src-main/processes/evaluation-worker.ts", import.meta.url);
const sample: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: new URL("../../resources/data/fashion-mnist-sample", import.meta.url).pathname,
};
const NORMALISED = { kind: "l2-normalised" } as const;

let scratch: string;
let evaluator: Evaluator;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "fedfleet-central-"));
  evaluator = createEvaluator({ fork: forkNode, entry });
});
afterAll(async () => {
  await evaluator.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Each with a learning rate, and the accuracy that it reaches with it in 40 steps; chance is 0.1. */
const MODELS = [
  ["Net", 0.1, 0.4],
  ["ResNet8", 0.02, 0.15],
] as const;

/** Weights of two passes over 600 images with a normalised feature. */
const trained = async (model: (typeof MODELS)[number][0], lr: number): Promise<readonly NamedTensor[]> => {
  const { train, mean, std } = await loadDataset(sample);
  const learner = createLearner(await openEngine({ threads: 2 }));
  const { weights } = await learner.train({
    weights: initialWeights(model, 10, 11),
    recipe: recipeOf(model, {
      feature: NORMALISED,
      localEpochs: 2,
      batchSize: 30,
      optimizer: { lr, momentum: 0.9 },
    }),
    images: train,
    indices: Array.from({ length: 600 }, (_, i) => i * 10),
    mean,
    std,
  });
  return weights;
};

// With CI=true a missing PyTorch is a failure, which the first test reports.
test.skipIf(!hasTorch && process.env.CI !== "true")("PyTorch is there", () => {
  expect(hasTorch, reason).toBe(true);
});

describe.skipIf(!hasTorch)(`central evaluation equals PyTorch's${hasTorch ? "" : `: ${reason}`}`, () => {
  test.each(MODELS)("%s with its feature at length 1", async (model, lr, atLeast) => {
    const checkpoint = join(scratch, `${model}.safetensors`);
    await writeSafetensors(checkpoint, await trained(model, lr), {});
    const { mean, std } = await loadDataset(sample);
    const inTorch = (feature: string): { loss: number; correct: number; examples: number } => {
      const args = [model, feature, mean.join(), std.join(), sample.path, checkpoint];
      const ran = spawnSync(python, ["test/integration/torch_central.py", ...args], {
        encoding: "utf8",
        env: environment,
      });
      expect(ran.stderr).toBe("");
      return JSON.parse(ran.stdout);
    };
    const job = { checkpoint, model, numClasses: 10, task: "classification", dataset: sample } as const;
    const [normalised, plain] = [
      await evaluator.evaluate({ ...job, feature: NORMALISED }),
      await evaluator.evaluate({ ...job, feature: { kind: "plain" } }),
    ];
    const torch = inTorch("l2-normalised");
    expect(normalised.examples).toBe(torch.examples);
    expect(normalised.metrics.accuracy).toBe(torch.correct / torch.examples);
    expect(normalised.metrics.accuracy).toBeGreaterThan(atLeast);
    expect(Math.abs(normalised.metrics.loss! - torch.loss)).toBeLessThan(1e-4);
    // An evaluation that does not know the algorithm measures another model.
    expect(Math.abs(plain.metrics.loss! - inTorch("plain").loss)).toBeLessThan(
      1e-4 * Math.max(1, plain.metrics.loss!),
    );
    expect(Math.abs(plain.metrics.loss! - normalised.metrics.loss!)).toBeGreaterThan(0.01);
  });
});
