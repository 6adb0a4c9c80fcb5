import { setImmediate as nextTurn } from "node:timers/promises";
import type { PictureSet } from "#contract/dataset.ts";
import type { LossSettings, Recipe } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { createRandom, deriveSeed } from "#main/federation/random.ts";
import { type Batch, type BatchSource, type ChannelValues, createBatchSource } from "./batches.ts";
import type { Engine } from "./engines/engine.ts";
import type { TfTensor } from "./engines/ops.ts";
import { batchLogits, checkLabels } from "./evaluation.ts";
import { createTrainingLayers, type TrainingLayers } from "./layers.ts";
import { batchLoss, type Distillation } from "./losses.ts";
import type { ModelDefinition } from "./models/definition.ts";
import { modelDefinition } from "./models/models.ts";
import { addProximalTerm, createOptimizer, type Optimizer } from "./optimizers.ts";
import { evaluationTensors, type ModelState, readState, trainableTensors, writeState } from "./state.ts";

export interface TrainInput {
  /** All tensors of the model in state_dict order. */
  readonly weights: readonly NamedTensor[];
  readonly recipe: Recipe;
  readonly pictures: PictureSet;
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
  /** Share of right answers over the last epoch, taken while training. */
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

/** momentum of PyTorch's BatchNorm2d. */
const BATCH_NORM_MOMENTUM = 0.1;

/** Teacher logits of every sample of the client: the global model is frozen, so once per round is enough. */
interface Teacher {
  readonly logits: Float32Array;
  /** Position of a sample in `logits`, by its index in the picture set. */
  readonly rowOf: ReadonlyMap<number, number>;
}

const askTeacher = async (
  engine: Engine,
  model: ModelDefinition,
  state: ModelState,
  source: BatchSource,
  { indices, recipe, signal }: TrainInput,
): Promise<Teacher> => {
  const classes = recipe.numClasses;
  const logits = new Float32Array(indices.length * classes);
  const parameters = evaluationTensors(engine.tf, state);
  try {
    for (let start = 0; start < indices.length; start += recipe.batchSize) {
      signal?.throwIfAborted();
      const batch = source.take(indices.slice(start, start + recipe.batchSize));
      logits.set(batchLogits(engine, model, parameters, batch), start * classes);
      await nextTurn();
    }
  } finally {
    for (const tensor of parameters.values()) tensor.dispose();
  }
  return { logits, rowOf: new Map(indices.map((index, row) => [index, row])) };
};

const distillationOf = (
  loss: LossSettings,
  teacher: Teacher | undefined,
  chosen: readonly number[],
  classes: number,
): Distillation | undefined => {
  if (loss.kind !== "ntd" || teacher === undefined) return undefined;
  const rows = new Float32Array(chosen.length * classes);
  chosen.forEach((index, b) => {
    const from = teacher.rowOf.get(index)! * classes;
    rows.set(teacher.logits.subarray(from, from + classes), b * classes);
  });
  return { teacher: rows, tau: loss.tau, beta: loss.beta, tauSquared: loss.tauSquared };
};

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

interface StepInput {
  readonly engine: Engine;
  readonly model: ModelDefinition;
  readonly state: ModelState;
  readonly optimizer: Optimizer;
  readonly batch: Batch;
  readonly classes: number;
  readonly distillation: Distillation | undefined;
  /** The round's starting weights and FedProx's mu. */
  readonly proximal: { readonly mu: number; readonly global: readonly Float32Array[] } | undefined;
}

/** One optimizer step. Returns the loss summed over the batch and the right answers. */
const trainingStep = (input: StepInput): { sum: number; correct: number } => {
  const { engine, model, state, optimizer, batch, classes, distillation, proximal } = input;
  const { tf, ops } = engine;
  const size = batch.labels.length;
  let sum = Number.NaN;
  let correct = 0;
  tf.tidy(() => {
    const x = tf.tensor(batch.pixels, batch.shape as [number, number, number, number], "float32");
    const layers = createTrainingLayers(ops, trainableTensors(tf, state), x);
    const logits = model.forward(layers, x);
    const gradient = new Float32Array(size * classes);
    const values = logits.dataSync<"float32">();
    ({ sum, correct } = batchLoss(values, batch.labels, classes, gradient, distillation));
    if (!Number.isFinite(sum)) return;
    updateRunningStatistics(state, layers);
    const dLogits = tf.tensor(gradient, [size, classes], "float32");
    const gradients: Map<string, TfTensor> = layers.backward(logits, dLogits);
    optimizer.begin();
    let penalty = 0;
    state.trainables.forEach(({ definition, values: weights }, slot) => {
      const ofThis = gradients.get(definition.name)!.dataSync<"float32">();
      if (proximal) penalty += addProximalTerm(weights, proximal.global[slot]!, ofThis, proximal.mu);
      optimizer.update(slot, weights, ofThis);
    });
    sum += penalty * size;
  });
  return { sum, correct };
};

const checkFinite = (state: ModelState, epoch: number, batch: number): void => {
  for (const { definition, values } of [...state.trainables, ...state.buffers.values()]) {
    let worst = 0;
    for (let i = 0; i < values.length; i += 1) worst += values[i]! * 0; // 0, or NaN from there on
    if (worst !== 0) {
      throw new DivergedError(epoch, batch, `${definition.name} holds NaN or an infinite value`);
    }
  }
};

/**
 * Trains a client's model on its samples as the recipe says.
 *
 * Every epoch takes the samples in a new order, drawn from the recipe's seed. The last, smaller batch is kept,
 * except one of a single sample for a model with batch normalisation. The same input on the same engine with the
 * same number of threads gives the same bytes.
 * @throws DivergedError when the loss or a weight is not finite; UserError for weights that are not the model's;
 * the signal's reason when it is aborted.
 */
export const trainModel = async (engine: Engine, input: TrainInput): Promise<TrainResult> => {
  const { recipe, pictures, indices, signal } = input;
  const { batchSize, localEpochs, numClasses: classes } = recipe;
  const model = modelDefinition(recipe.model);
  checkLabels(pictures, indices, classes);
  const state = readState(model, classes, input.weights);
  const source = createBatchSource(pictures, input.mean, input.std, Math.min(batchSize, indices.length));
  const optimizer = createOptimizer(recipe.optimizer);
  // With weight 0 the extra term is left out altogether, so that such a run equals FedAvg's to the bit.
  const { loss: settings } = recipe;
  const teacher =
    settings.kind === "ntd" && settings.beta !== 0
      ? await askTeacher(engine, model, state, source, input)
      : undefined;
  const proximal =
    settings.kind === "prox" && settings.mu !== 0
      ? { mu: settings.mu, global: state.trainables.map((entry) => entry.values.slice()) }
      : undefined;

  const smallestBatch = model.hasBatchNorm ? 2 : 1;
  const batches = Math.ceil(indices.length / batchSize);
  let examples = 0;
  let loss = 0;
  let correct = 0;
  for (let epoch = 0; epoch < localEpochs; epoch += 1) {
    const order = createRandom(deriveSeed(recipe.seed, "epoch", epoch)).shuffle([...indices]);
    examples = 0;
    loss = 0;
    correct = 0;
    for (let b = 0; b < batches; b += 1) {
      signal?.throwIfAborted();
      const chosen = order.slice(b * batchSize, (b + 1) * batchSize);
      if (chosen.length < smallestBatch) continue;
      const step = trainingStep({
        engine,
        model,
        state,
        optimizer,
        batch: source.take(chosen),
        classes,
        distillation: distillationOf(settings, teacher, chosen, classes),
        proximal,
      });
      if (!Number.isFinite(step.sum)) throw new DivergedError(epoch + 1, b + 1, `the loss is ${step.sum}`);
      loss += step.sum;
      correct += step.correct;
      examples += chosen.length;
      input.onProgress?.((epoch * batches + b + 1) / (localEpochs * batches));
      await nextTurn();
    }
  }
  checkFinite(state, localEpochs, batches);
  return {
    weights: writeState(state),
    examples,
    loss: examples > 0 ? loss / examples : 0,
    accuracy: examples > 0 ? correct / examples : 0,
  };
};
