import type { DatasetLocation } from "#contract/dataset.ts";
import type { EngineInfo, Evaluation, ModelName } from "#contract/jobs.ts";

/** What to evaluate: weights travel as the name of their file, never through the pipe. */
export interface EvaluationJob {
  /** Path of a safetensors file with all of the model's tensors. */
  readonly checkpoint: string;
  readonly model: ModelName;
  readonly numClasses: number;
  /** The whole test part of this data set is used. */
  readonly dataset: DatasetLocation;
}

/** Each kind of work of the evaluation process, with what it takes and gives. */
export interface EvaluationWork {
  evaluate: { takes: EvaluationJob; gives: Evaluation };
  engine: { takes: undefined; gives: EngineInfo };
}
