/**
 * Learning: models, local training and evaluation, in processes of their own.
 *
 * How to add a model: models/<name>.ts exports a `ModelDefinition` (input, features, head, and the parameters of both in
 * state_dict order with layout and initialisation); a line in models/models.ts; its name in contract/jobs.ts; its twin
 * in test/golden/torch_models.py, from which make_learning_golden.py makes its golden vectors; its twin in
 * device-scripts/fedfleet_client/models.py. A model for larger images brings an input of its own (models/input.ts).
 *
 * How to add a layer: a method of `Layers` with its gradient in layers.ts; the engine operations that it needs in
 * engines/ops.ts, once for TensorFlow and once for tfjs's own kernels.
 *
 * How to add a loss: its settings in contract/jobs.ts, its value and gradient on logits in losses.ts (or on weights,
 * like FedProx, in optimizers.ts), its line in training.ts; weight 0 must equal plain cross-entropy to the bit.
 *
 * How to let the head see the feature in another way: its settings in contract/jobs.ts (`FeatureSettings`), its line in
 * `forward` (models/definition.ts), which training, the teacher and every evaluation go through.
 *
 * How to add a task: tasks/<name>.ts exports a `Task`; its id in contract/jobs.ts; a line in tasks/tasks.ts.
 *
 * The bytes that come out depend on the input, the engine and its number of threads, and on nothing else.
 */
import type { Evaluation } from "#contract/jobs.ts";
import type { Engine } from "./engines/engine.ts";
import { type EvaluateInput, evaluateModel } from "./tasks/tasks.ts";
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
