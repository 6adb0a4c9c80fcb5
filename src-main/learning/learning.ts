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
