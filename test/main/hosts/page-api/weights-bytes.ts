import type { ModelName } from "#contract/jobs.ts";
import { initialWeights } from "#main/learning/models/models.ts";

/** The bytes of a model's tensors, from the tensors themselves. */
export const initialWeightsBytes = (model: ModelName, classes: number): number =>
  initialWeights(model, classes, 1).reduce((sum, { bytes }) => sum + bytes.length, 0);
