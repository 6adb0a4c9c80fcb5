import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MODEL_NAMES, type ModelName } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner, type Learner } from "#main/learning/learning.ts";
import { initialWeights, modelParameters } from "#main/learning/models/models.ts";
import { readSafetensors, writeSafetensors } from "#main/store/safetensors.ts";
import {
  everyIndex,
  formulaImages,
  labelled,
  MEAN,
  numbersOf,
  recipeOf,
  STD,
} from "#test/main/learning/formula.ts";
import { logitsOf } from "#test/main/learning/logits-of.ts";

/** Debian's python3-torch belongs to the system's Python; settings for another BLAS would slow it down. */
const python = "/usr/bin/python3";
const environment = { ...process.env };
delete environment.OPENBLAS_CORETYPE;
delete environment.OPENBLAS_L2_SIZE;
const hasTorch = spawnSync(python, ["-c", "import torch"], { env: environment }).status === 0;
const reason = "PyTorch is not installed (test/setup/install.sh installs it)";

const IMAGES = 8;
const TOLERANCE = 1e-4;
/** A second step shows the teacher at work. Of ResNet18 on eight images it would show amplified rounding only. */
const stepsOf = (name: ModelName): number => (name === "ResNet18" ? 1 : 2);
let scratch: string;
let learner: Learner;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "fedfleet-torch-"));
  learner = createLearner(await openEngine({ threads: 2 }));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Weights that have been trained, so that BatchNorm's buffers hold something. */
const trained = async (name: ModelName): Promise<NamedTensor[]> => {
  const images = formulaImages(IMAGES);
  const { weights } = await learner.train({
    weights: initialWeights(name, 10, 21),
    recipe: recipeOf(name, { optimizer: { lr: 0.005 }, localEpochs: 2 }),
    images,
    indices: everyIndex(images),
    mean: MEAN,
    std: STD,
  });
  return weights;
};

const inOrder = (name: ModelName, tensors: readonly NamedTensor[]): NamedTensor[] =>
  modelParameters(name, 10).map((p) => tensors.find((t) => t.name === p.name)!);

// With CI=true a missing PyTorch is a failure, which the first test reports.
test.skipIf(!hasTorch && process.env.CI !== "true")("PyTorch is there", () => {
  expect(hasTorch, reason).toBe(true);
});

describe.skipIf(!hasTorch)(`weights go to PyTorch and back${hasTorch ? "" : `: ${reason}`}`, () => {
  const cases = MODEL_NAMES.flatMap((name) =>
    (["plain", "l2-normalised"] as const).map((kind) => [name, { kind }] as const),
  );
  test.each(cases)("%s, feature $kind", { timeout: 600_000 }, async (name, feature) => {
    const weights = await trained(name);
    const [source, same, stepped] = ["in", "out", "stepped"].map((f) =>
      join(scratch, `${name}-${feature.kind}-${f}.safetensors`),
    );
    await writeSafetensors(source!, weights, {});
    const ran = spawnSync(
      python,
      [
        "test/integration/torch_roundtrip.py",
        name,
        feature.kind,
        String(IMAGES),
        String(stepsOf(name)),
        source!,
        same!,
        stepped!,
      ],
      { encoding: "utf8", env: environment, maxBuffer: 1e8 },
    );
    expect(ran.stderr).toBe("");
    const torch: { logits: number[][]; ce: number; ntd: number[] } = JSON.parse(ran.stdout);

    const back = inOrder(name, await readSafetensors(same!));
    back.forEach((tensor, i) => {
      expect(Buffer.compare(tensor.bytes, weights[i]!.bytes), tensor.name).toBe(0);
    });
    const logits = logitsOf(learner.engine, name, back, IMAGES, feature);
    torch.logits.flat().forEach((value, i) => {
      expect(Math.abs(logits[i]! - value), `logit ${i}`).toBeLessThan(TOLERANCE);
    });

    const images = formulaImages(IMAGES);
    const common = { weights: back, mean: MEAN, std: STD };
    const judged = { ...common, ...labelled(images), feature, model: name, numClasses: 10 };
    const { metrics } = await learner.evaluate(judged);
    expect(Math.abs(metrics.loss! - torch.ce)).toBeLessThan(TOLERANCE);

    const result = await learner.train({
      ...common,
      images,
      recipe: recipeOf(name, {
        feature,
        localEpochs: stepsOf(name),
        loss: { kind: "ntd", tau: 2, beta: 1, tauSquared: true },
        optimizer: { lr: 0.005, momentum: 0.9, weightDecay: 1e-5 },
      }),
      indices: everyIndex(images),
    });
    expect(Math.abs(result.loss - torch.ntd.at(-1)!)).toBeLessThan(TOLERANCE);
    inOrder(name, await readSafetensors(stepped!)).forEach((tensor, i) => {
      const theirs = numbersOf(tensor);
      const worst = numbersOf(result.weights[i]!).reduce(
        (w, v, k) => Math.max(w, Math.abs(v - theirs[k]!)),
        0,
      );
      expect(worst, tensor.name).toBeLessThan(TOLERANCE);
    });
  });
});
