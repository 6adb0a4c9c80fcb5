import type { DatasetLocation } from "#contract/dataset.ts";
import type { EngineInfo, Evaluation, FeatureSettings, ModelName } from "#contract/jobs.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";

/** What to evaluate: weights travel as the name of their file, never through the pipe. */
export interface EvaluationJob {
  /** Path of a safetensors file with all of the model's tensors. */
  readonly checkpoint: string;
  readonly model: ModelName;
  readonly numClasses: number;
  /** How the head sees the feature: as the algorithm of the run has it. */
  readonly feature: FeatureSettings;
  readonly task: TaskName;
  /** The whole test part of this data set is used. */
  readonly dataset: DatasetLocation;
}

/** Each kind of work of the evaluation process, with what it takes and gives. */
export interface EvaluationWork {
  evaluate: { takes: EvaluationJob; gives: Evaluation };
  engine: { takes: undefined; gives: EngineInfo };
}
