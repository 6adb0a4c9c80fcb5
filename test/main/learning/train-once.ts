import { createHash } from "node:crypto";
import { openEngine } from "#main/learning/engines/engine.ts";
import { createLearner } from "#main/learning/learning.ts";
import { initialWeights } from "#main/learning/models/models.ts";
import { everyIndex, formulaPictures, MEAN, recipeOf, STD } from "./formula.ts";

/** Prints the hash of the weights that training.test.ts trains, computed in this process. */
const pictures = formulaPictures(70);
const { weights } = await createLearner(await openEngine({ threads: 2 })).train({
  weights: initialWeights("Net", 10, 3),
  recipe: recipeOf("Net", { batchSize: 32, localEpochs: 2, optimizer: { momentum: 0.9 } }),
  pictures,
  indices: everyIndex(pictures),
  mean: MEAN,
  std: STD,
});
const hash = createHash("sha256");
for (const { bytes } of weights) hash.update(bytes);
console.log(hash.digest("hex"));
