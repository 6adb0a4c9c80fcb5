/**
 * Learning: models, local training and evaluation, in processes of their own.
 *
 * How to add a model: models/<name>.ts exports a `ModelDefinition` (parameters in state_dict order with layout and
 * initialisation, forward pass in terms of layers.ts); a line in models/models.ts; its name in contract/jobs.ts; its
 * twin in test/golden/torch_models.py, from which make_learning_golden.py makes its golden vectors.
 *
 * How to add a layer: a method of `Layers` with its gradient in layers.ts; what it needs of the engines as an
 * operation in engines/ops.ts, once for TensorFlow and once for tfjs's own kernels.
 *
 * How to add a loss: its settings in contract/jobs.ts, its value and gradient on logits in losses.ts (or on weights,
 * like FedProx, in optimizers.ts), its line in training.ts; weight 0 must equal plain cross-entropy to the bit.
 *
 * Which bytes come out depends on the engine and on its number of threads, and on nothing else but the input.
 */
import type { Evaluation } from "#contract/jobs.ts";
import type { Engine } from "./engines/engine.ts";
import { type EvaluateInput, evaluateModel } from "./evaluation.ts";
import { type TrainInput, type TrainResult, trainModel } from "./training.ts";

/** Local training and evaluation on the engine of this process. */
export interface Learner {
  readonly engine: Engine;
  train(input: TrainInput): Promise<TrainResult>;
  evaluate(input: EvaluateInput): Promise<Evaluation>;
}

/** The front door of learning: `createLearner(await openEngine())`. Calls on one learner may overlap. */
export const createLearner = (engine: Engine): Learner => ({
  engine,
  train: (input) => trainModel(engine, input),
  evaluate: (input) => evaluateModel(engine, input),
});
