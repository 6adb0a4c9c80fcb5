import type { FeatureSettings, ModelName } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { createBatchSource } from "#main/learning/batches.ts";
import type { Engine } from "#main/learning/engines/engine.ts";
import { batchLogits } from "#main/learning/logits.ts";
import { modelDefinition } from "#main/learning/models/models.ts";
import { evaluationTensors, readState } from "#main/learning/state.ts";
import { everyIndex, formulaImages, MEAN, STD } from "./formula.ts";

/** Logits (count, 10), in evaluation mode, of the first `count` images of the formula. */
export const logitsOf = (
  engine: Engine,
  name: ModelName,
  weights: readonly NamedTensor[],
  count: number,
  feature: FeatureSettings = { kind: "plain" },
): Float32Array => {
  const images = formulaImages(count);
  const definition = modelDefinition(name);
  const parameters = evaluationTensors(engine.tf, readState(definition, 10, weights));
  const batch = createBatchSource(images, definition.input, MEAN, STD, count).take(everyIndex(images));
  const logits = batchLogits(engine, { definition, parameters, feature }, batch);
  for (const tensor of parameters.values()) tensor.dispose();
  return logits;
};
