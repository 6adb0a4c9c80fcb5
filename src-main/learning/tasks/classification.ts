import { setImmediate as nextTurn } from "node:timers/promises";
import { labelledImages } from "#contract/dataset.ts";
import type { Evaluation } from "#contract/jobs.ts";
import { checkLabels, createBatchSource, labelsOf } from "#main/learning/batches.ts";
import { batchLogits } from "#main/learning/logits.ts";
import { argMax, crossEntropy } from "#main/learning/losses.ts";
import { modelDefinition } from "#main/learning/models/models.ts";
import { evaluationTensors, readState } from "#main/learning/state.ts";
import type { Task } from "./task.ts";

const DEFAULT_BATCH = 128;

interface ClassCount {
  correct: number;
  total: number;
}

/** Loss and right answers, summed sample by sample in float64. */
const createTally = (numClasses: number) => {
  const perClass = Array.from({ length: numClasses }, (): ClassCount => ({ correct: 0, total: 0 }));
  let loss = 0;
  return {
    /** @param logits (B, numClasses); `labels` has B class indices. */
    add: (logits: Float32Array, labels: Uint16Array): void => {
      labels.forEach((label, b) => {
        const row = b * numClasses;
        loss += crossEntropy(logits, row, numClasses, label);
        const counts = perClass[label]!;
        counts.total += 1;
        if (argMax(logits, row, numClasses) === label) counts.correct += 1;
      });
    },
    /** Means over `examples` samples; without samples all figures are 0. */
    evaluation: (examples: number): Evaluation => {
      const mean = (sum: number): number => (examples === 0 ? 0 : sum / examples);
      const correct = perClass.reduce((n, c) => n + c.correct, 0);
      return { metrics: { loss: mean(loss), accuracy: mean(correct) }, examples, perClass };
    },
  };
};

/**
 * Which class an image shows: loss (mean cross-entropy, nats), accuracy and counts per class over labelled test
 * images, taken in the given order.
 * @throws RangeError where a label does not fit the number of classes.
 */
export const classification: Task = {
  evaluate: async (engine, input) => {
    const { numClasses, feature, signal, mean, std, batchSize = DEFAULT_BATCH } = input;
    const images = labelledImages(input.test);
    const definition = modelDefinition(input.model);
    const indices = input.indices ?? Array.from({ length: images.count }, (_, i) => i);
    checkLabels(images, indices, numClasses);
    const largest = Math.min(batchSize, indices.length);
    const source = createBatchSource(images, definition.input, mean, std, largest);
    const tally = createTally(numClasses);
    const parameters = evaluationTensors(engine.tf, readState(definition, numClasses, input.weights));
    try {
      for (let start = 0; start < indices.length; start += batchSize) {
        signal?.throwIfAborted();
        const chosen = indices.slice(start, start + batchSize);
        const logits = batchLogits(engine, { definition, parameters, feature }, source.take(chosen));
        tally.add(logits, labelsOf(images, chosen));
        await nextTurn();
      }
    } finally {
      for (const tensor of parameters.values()) tensor.dispose();
    }
    return tally.evaluation(indices.length);
  },
};
