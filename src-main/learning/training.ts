import { setImmediate as nextTurn } from "node:timers/promises";
import type { ImageSet } from "#contract/dataset.ts";
import type { Recipe } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { createRandom, deriveSeed } from "#main/federation/random.ts";
import { type BatchSource, type ChannelValues, checkLabels, createBatchSource, labelsOf } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import { modelDefinition } from "./models/models.ts";
import { createOptimizer } from "./optimizers.ts";
import { evaluationTensors, type ModelState, readState, writeState } from "./state.ts";
import { askTeacher, distillationOf, type Teacher } from "./teacher.ts";
import { type LocalTraining, trainingStep } from "./training-step.ts";

export interface TrainInput {
  /** All tensors of the model in state_dict order. */
  readonly weights: readonly NamedTensor[];
  readonly recipe: Recipe;
  readonly images: ImageSet;
  /** The client's samples. */
  readonly indices: readonly number[];
  readonly mean: ChannelValues;
  readonly std: ChannelValues;
  readonly signal?: AbortSignal;
  /** 0 to 1, after every batch. */
  readonly onProgress?: (fraction: number) => void;
}

export interface TrainResult {
  readonly weights: NamedTensor[];
  /** Distinct samples that were trained on. */
  readonly examples: number;
  /** Mean of the local loss (all its terms) over the last epoch, in nats. */
  readonly loss: number;
  /** Share of right answers over the last epoch, counted while training. */
  readonly accuracy: number;
}

/** The loss or a weight became NaN or infinite; training stopped there. */
export class DivergedError extends Error {
  readonly epoch: number;
  readonly batch: number;
  constructor(epoch: number, batch: number, what: string) {
    super(`training diverged in local epoch ${epoch}, batch ${batch}: ${what}; lower the learning rate`);
    this.name = "DivergedError";
    this.epoch = epoch;
    this.batch = batch;
  }
}

const checkFinite = (state: ModelState, epoch: number, batch: number): void => {
  for (const { definition, values } of [...state.trainables, ...state.buffers.values()]) {
    let worst = 0;
    for (let i = 0; i < values.length; i += 1) worst += values[i]! * 0; // 0, or NaN from there on
    if (worst !== 0) {
      throw new DivergedError(epoch, batch, `${definition.name} holds NaN or an infinite value`);
    }
  }
};

/** The teacher of FedNTD; undefined where the loss has none, or gives it no weight. */
const teacherOf = async (
  { engine, model, state, feature, classes }: LocalTraining,
  source: BatchSource,
  { recipe, indices, signal }: TrainInput,
): Promise<Teacher | undefined> => {
  if (recipe.loss.kind !== "ntd" || recipe.loss.beta === 0) return undefined;
  const parameters = evaluationTensors(engine.tf, state);
  try {
    const loaded = { definition: model, parameters, feature };
    return await askTeacher(engine, loaded, source, {
      indices,
      classes,
      batchSize: recipe.batchSize,
      signal,
    });
  } finally {
    for (const tensor of parameters.values()) tensor.dispose();
  }
};

/** With weight 0 an extra term of the loss is left out altogether, so that such a run equals FedAvg's to the bit. */
const prepare = (engine: Engine, { recipe, weights }: TrainInput): LocalTraining => {
  const { loss, feature, numClasses: classes } = recipe;
  const model = modelDefinition(recipe.model);
  const state = readState(model, classes, weights);
  const proximal =
    loss.kind === "prox" && loss.mu !== 0
      ? { mu: loss.mu, global: state.trainables.map((entry) => entry.values.slice()) }
      : undefined;
  return { engine, model, state, optimizer: createOptimizer(recipe.optimizer), classes, feature, proximal };
};

/** Sums over the batches of one epoch. */
interface EpochSums {
  readonly examples: number;
  readonly loss: number;
  readonly correct: number;
}

/**
 * Trains a client's model on its samples as the recipe says.
 *
 * Every epoch takes the samples in a new order, drawn from the recipe's seed. The last, smaller batch is kept,
 * except one of a single sample for a model with batch normalisation. The same input on the same engine with the
 * same number of threads gives the same bytes.
 * @throws DivergedError when the loss or a weight is not finite; UserError for weights that are not the model's;
 * RangeError for labels and images that do not fit the model; the signal's reason when it is aborted.
 */
export const trainModel = async (engine: Engine, input: TrainInput): Promise<TrainResult> => {
  const { recipe, images, indices, signal } = input;
  const { batchSize, localEpochs, loss: settings } = recipe;
  checkLabels(images, indices, recipe.numClasses);
  const training = prepare(engine, input);
  const { model, state } = training;
  const largest = Math.min(batchSize, indices.length);
  const source = createBatchSource(images, model.input, input.mean, input.std, largest);
  const teacher = await teacherOf(training, source, input);
  const smallestBatch = model.hasBatchNorm ? 2 : 1;
  const batches = Math.ceil(indices.length / batchSize);

  const trainEpoch = async (epoch: number): Promise<EpochSums> => {
    const order = createRandom(deriveSeed(recipe.seed, "epoch", epoch)).shuffle([...indices]);
    let examples = 0;
    let loss = 0;
    let correct = 0;
    for (let b = 0; b < batches; b += 1) {
      signal?.throwIfAborted();
      const chosen = order.slice(b * batchSize, (b + 1) * batchSize);
      if (chosen.length < smallestBatch) continue;
      const distillation = distillationOf(settings, teacher, chosen);
      const step = trainingStep(training, source.take(chosen), labelsOf(images, chosen), distillation);
      if (!Number.isFinite(step.sum)) throw new DivergedError(epoch + 1, b + 1, `the loss is ${step.sum}`);
      loss += step.sum;
      correct += step.correct;
      examples += chosen.length;
      input.onProgress?.((epoch * batches + b + 1) / (localEpochs * batches));
      await nextTurn();
    }
    return { examples, loss, correct };
  };

  let last: EpochSums = { examples: 0, loss: 0, correct: 0 };
  for (let epoch = 0; epoch < localEpochs; epoch += 1) last = await trainEpoch(epoch);
  checkFinite(state, localEpochs, batches);
  const { examples, loss, correct } = last;
  return {
    weights: writeState(state),
    examples,
    loss: examples > 0 ? loss / examples : 0,
    accuracy: examples > 0 ? correct / examples : 0,
  };
};
