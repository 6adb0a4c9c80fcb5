import type { FeatureSettings } from "#contract/jobs.ts";
import type { Batch } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import { createTrainingLayers, type TrainingLayers } from "./layers.ts";
import { type BatchLoss, batchLoss, type Distillation } from "./losses.ts";
import { forward, type ModelDefinition } from "./models/definition.ts";
import { addProximalTerm, type Optimizer } from "./optimizers.ts";
import { type ModelState, trainableTensors } from "./state.ts";

/** momentum of PyTorch's BatchNorm2d. */
const BATCH_NORM_MOMENTUM = 0.1;

/** What stays the same from step to step of one local training. */
export interface LocalTraining {
  readonly engine: Engine;
  readonly model: ModelDefinition;
  /** Updated in place. */
  readonly state: ModelState;
  readonly optimizer: Optimizer;
  readonly classes: number;
  readonly feature: FeatureSettings;
  /** FedProx: its mu, and the weights that the round began with. */
  readonly proximal: { readonly mu: number; readonly global: readonly Float32Array[] } | undefined;
}

/** torch.nn.BatchNorm2d: running = (1 − momentum) · running + momentum · batch, in float64 as PyTorch does. */
const updateRunningStatistics = (state: ModelState, layers: TrainingLayers): void => {
  for (const [name, { mean, variance }] of layers.statistics) {
    for (const [entry, tensor] of [
      ["running_mean", mean],
      ["running_var", variance],
    ] as const) {
      const running = state.buffers.get(`${name}.${entry}`)!.values;
      const batch = tensor.dataSync<"float32">();
      for (let i = 0; i < running.length; i += 1) {
        running[i] = (1 - BATCH_NORM_MOMENTUM) * running[i]! + BATCH_NORM_MOMENTUM * batch[i]!;
      }
    }
    const counter = `${name}.num_batches_tracked`;
    state.counters.set(counter, state.counters.get(counter)! + 1n);
  }
};

/** Updates all trainables. Returns FedProx's penalty, 0 without it. */
const applyGradients = (
  { state, optimizer, proximal }: LocalTraining,
  gradients: ReturnType<TrainingLayers["backward"]>,
): number => {
  optimizer.begin();
  let penalty = 0;
  state.trainables.forEach(({ definition, values: weights }, slot) => {
    const gradient = gradients.get(definition.name)!.dataSync<"float32">();
    if (proximal) penalty += addProximalTerm(weights, proximal.global[slot]!, gradient, proximal.mu);
    optimizer.update(slot, weights, gradient);
  });
  return penalty;
};

/**
 * One optimizer step on one batch. Where the loss is not finite nothing is updated.
 * @returns the loss summed over the batch, and the right answers.
 */
export const trainingStep = (
  training: LocalTraining,
  batch: Batch,
  labels: Uint16Array,
  distillation: Distillation | undefined,
): BatchLoss => {
  const { engine, model, state, classes, feature } = training;
  const { tf, ops } = engine;
  const size = labels.length;
  let sum = Number.NaN;
  let correct = 0;
  tf.tidy(() => {
    const x = tf.tensor(batch.pixels, batch.shape as [number, number, number, number], "float32");
    const layers = createTrainingLayers(ops, trainableTensors(tf, state), x);
    const logits = forward(model, layers, x, feature);
    const gradient = new Float32Array(size * classes);
    const values = logits.dataSync<"float32">();
    ({ sum, correct } = batchLoss(values, labels, classes, gradient, distillation));
    if (!Number.isFinite(sum)) return;
    updateRunningStatistics(state, layers);
    const dLogits = tf.tensor(gradient, [size, classes], "float32");
    sum += applyGradients(training, layers.backward(logits, dLogits)) * size;
  });
  return { sum, correct };
};
