import type { DatasetLocation } from "#contract/dataset.ts";
import type { EngineInfo, Evaluation, FeatureSettings, ModelName, TaskName } from "#contract/jobs.ts";

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

export type ToWorker =
  | { readonly kind: "evaluate"; readonly id: number; readonly job: EvaluationJob }
  | { readonly kind: "engine"; readonly id: number };

export type FromWorker =
  | { readonly kind: "evaluation"; readonly id: number; readonly evaluation: Evaluation }
  | { readonly kind: "engine"; readonly id: number; readonly engine: EngineInfo }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly message: string;
      readonly stack: string;
      /** Set where a person can mend it (UserError). */
      readonly exitCode?: number;
    };
