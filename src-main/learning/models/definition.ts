import type { FeatureSettings, ModelName } from "#contract/jobs.ts";
import type { ModelPart } from "#contract/tensor.ts";
import type { TfTensor } from "#main/learning/engines/ops.ts";
import type { Layers } from "#main/learning/layers.ts";
import type { ModelInput } from "./input.ts";
import type { Entry, ParameterDefinition } from "./parameters.ts";

/** A model: its features, which turn an image into a vector, and its head, which turns the vector into logits. */
export interface ModelDefinition {
  readonly name: ModelName;
  /** Which images it takes, and how smaller ones are fitted in. */
  readonly input: ModelInput;
  /** A training batch of one image is skipped: its statistics mean nothing. */
  readonly hasBatchNorm: boolean;
  /** Parameters of the features, in state_dict order. */
  readonly featureParameters: (numClasses: number) => readonly Entry[];
  /** Parameters of the head, in state_dict order; they come after those of the features. */
  readonly headParameters: (numClasses: number) => readonly Entry[];
  /** Images (N, H, W, C) -> feature vectors (N, D). */
  readonly features: (layers: Layers, x: TfTensor) => TfTensor;
  /** Feature vectors (N, D) -> logits (N, numClasses). */
  readonly head: (layers: Layers, feature: TfTensor) => TfTensor;
}

/** All parameters of a model in state_dict order, each with the part of the model that it belongs to. */
export const parametersOf = (model: ModelDefinition, numClasses: number): readonly ParameterDefinition[] => {
  const belongingTo = (part: ModelPart, entries: readonly Entry[]) =>
    entries.map((entry) => ({ ...entry, part }));
  return [
    ...belongingTo("features", model.featureParameters(numClasses)),
    ...belongingTo("head", model.headParameters(numClasses)),
  ];
};

/** Images (N, H, W, C) -> logits (N, numClasses), the head seeing the feature as `settings` says. */
export const forward = (
  model: ModelDefinition,
  layers: Layers,
  x: TfTensor,
  settings: FeatureSettings,
): TfTensor => {
  const feature = model.features(layers, x);
  switch (settings.kind) {
    case "plain":
      return model.head(layers, feature);
    case "l2-normalised":
      return model.head(layers, layers.l2Normalise(feature));
  }
};
