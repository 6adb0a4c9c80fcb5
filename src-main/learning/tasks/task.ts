import type { TestSide } from "#contract/dataset.ts";
import type { Evaluation, FeatureSettings } from "#contract/jobs.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import type { ChannelValues } from "#main/learning/batches.ts";
import type { Engine } from "#main/learning/engines/engine.ts";

export interface TaskInput {
  /** All tensors of the model in state_dict order. */
  readonly weights: readonly NamedTensor[];
  readonly model: string;
  readonly numClasses: number;
  /** How the head sees the feature: as in the training that made the weights. */
  readonly feature: FeatureSettings;
  readonly test: TestSide;
  /** Which of the test images; all of them where left out. */
  readonly indices?: readonly number[];
  readonly mean: ChannelValues;
  readonly std: ChannelValues;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

/** How the models of one task are judged. */
export interface Task {
  /**
   * In evaluation mode. The same input gives the same digits on the same engine.
   * @throws UserError for weights that are not the model's, and for a data set that the task cannot use; the signal's
   * reason when it is aborted.
   */
  evaluate(engine: Engine, input: TaskInput): Promise<Evaluation>;
}
