import { setImmediate as nextTurn } from "node:timers/promises";
import type { PictureSet } from "#contract/dataset.ts";
import type { Evaluation } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { type Batch, type ChannelValues, createBatchSource } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import { createEvaluationLayers, type Parameters } from "./layers.ts";
import { argMax, crossEntropy } from "./losses.ts";
import type { ModelDefinition } from "./models/definition.ts";
import { modelDefinition } from "./models/models.ts";
import { evaluationTensors, readState } from "./state.ts";

export interface EvaluateInput {
  readonly weights: readonly NamedTensor[];
  readonly model: string;
  readonly numClasses: number;
  readonly pictures: PictureSet;
  /** Which samples; all of the set where left out. */
  readonly indices?: readonly number[];
  readonly mean: ChannelValues;
  readonly std: ChannelValues;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

const DEFAULT_BATCH = 128;

/** Logits (B, C) of a batch in evaluation mode. */
export const batchLogits = (
  { tf, ops }: Engine,
  model: ModelDefinition,
  parameters: Parameters,
  batch: Batch,
): Float32Array =>
  tf.tidy(() => {
    const x = tf.tensor(batch.pixels, batch.shape as [number, number, number, number], "float32");
    const logits = model.forward(createEvaluationLayers(tf, ops, parameters), x);
    return logits.dataSync<"float32">();
  }) as unknown as Float32Array;

/** @throws RangeError where a label does not fit the number of classes. */
export const checkLabels = (pictures: PictureSet, indices: readonly number[], numClasses: number): void => {
  for (const index of indices) {
    if (pictures.labels[index]! >= numClasses) {
      throw new RangeError(
        `sample ${index} has label ${pictures.labels[index]}, the model has ${numClasses} classes`,
      );
    }
  }
};

/**
 * Loss (mean cross-entropy, nats), accuracy and per-class counts in evaluation mode. Samples are taken in the
 * given order and summed in float64, so the same input gives the same digits on the same engine. Without samples
 * all figures are 0, `examples` too.
 */
export const evaluateModel = async (engine: Engine, input: EvaluateInput): Promise<Evaluation> => {
  const { pictures, numClasses, signal } = input;
  const model = modelDefinition(input.model);
  const indices = input.indices ?? Array.from({ length: pictures.count }, (_, i) => i);
  checkLabels(pictures, indices, numClasses);
  const batchSize = input.batchSize ?? DEFAULT_BATCH;
  const parameters = evaluationTensors(engine.tf, readState(model, numClasses, input.weights));
  const perClass = Array.from({ length: numClasses }, () => ({ correct: 0, total: 0 }));
  let loss = 0;
  try {
    const source = createBatchSource(pictures, input.mean, input.std, Math.min(batchSize, indices.length));
    for (let start = 0; start < indices.length; start += batchSize) {
      signal?.throwIfAborted();
      const batch = source.take(indices.slice(start, start + batchSize));
      const logits = batchLogits(engine, model, parameters, batch);
      batch.labels.forEach((label, b) => {
        loss += crossEntropy(logits, b * numClasses, numClasses, label);
        const counts = perClass[label]!;
        counts.total += 1;
        if (argMax(logits, b * numClasses, numClasses) === label) counts.correct += 1;
      });
      await nextTurn();
    }
  } finally {
    for (const tensor of parameters.values()) tensor.dispose();
  }
  const examples = indices.length;
  const correct = perClass.reduce((n, c) => n + c.correct, 0);
  const mean = (sum: number): number => (examples === 0 ? 0 : sum / examples);
  return { metrics: { loss: mean(loss), accuracy: mean(correct) }, examples, perClass };
};
