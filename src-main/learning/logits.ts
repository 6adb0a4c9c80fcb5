import type { FeatureSettings } from "#contract/jobs.ts";
import type { Batch } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import { createEvaluationLayers, type Parameters } from "./layers.ts";
import { forward, type ModelDefinition } from "./models/definition.ts";

/** A model that answers: its parameters as tensors of the engine, and how its head sees the feature. */
export interface LoadedModel {
  readonly definition: ModelDefinition;
  readonly parameters: Parameters;
  readonly feature: FeatureSettings;
}

/** Logits (B, C) of a batch in evaluation mode. */
export const batchLogits = (
  { tf, ops }: Engine,
  { definition, parameters, feature }: LoadedModel,
  batch: Batch,
): Float32Array =>
  tf.tidy(() => {
    const x = tf.tensor(batch.pixels, batch.shape as [number, number, number, number], "float32");
    const logits = forward(definition, createEvaluationLayers(tf, ops, parameters), x, feature);
    return logits.dataSync<"float32">();
  }) as unknown as Float32Array;
