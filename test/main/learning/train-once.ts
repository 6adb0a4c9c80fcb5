import { createHash } from "node:crypto";
import type { LossSettings, ModelName } from "#contract/jobs.ts";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { everyIndex, formulaImages, MEAN, recipeOf, STD } from "./formula.ts";

/**
 * Trains as training.test.ts does, in this process, and prints the SHA-256 of the weights: one line for each argument
 * `<model>/<loss>`.
 */
const LOSSES: Readonly<Record<string, LossSettings>> = {
  ce: { kind: "ce" },
  ntd: { kind: "ntd", tau: 2, beta: 1, tauSquared: true },
  prox: { kind: "prox", mu: 0.1 },
};
const images = formulaImages(70);
const learner = createLearner(await openEngine({ threads: 2 }));
for (const [model, loss] of process.argv.slice(2).map((argument) => argument.split("/"))) {
  const { weights } = await learner.train({
    weights: initialWeights(model as ModelName, 10, 3),
    recipe: recipeOf(model!, {
      loss: LOSSES[loss!]!,
      batchSize: 32,
      localEpochs: 2,
      optimizer: { momentum: 0.9 },
    }),
    images,
    indices: everyIndex(images),
    mean: MEAN,
    std: STD,
  });
  const hash = createHash("sha256");
  for (const { bytes } of weights) hash.update(bytes);
  console.log(hash.digest("hex"));
}
