import type { Dataset, DatasetLocation, ImageSet, TestSide } from "#contract/dataset.ts";
import type { EngineInfo, Evaluation, FeatureSettings, ModelName, Recipe } from "#contract/jobs.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";
import type { NamedTensor, ParameterSpec } from "#contract/tensor.ts";

/** How images are normalised; the same for training and evaluation. */
interface Normalised {
  readonly mean: Dataset["mean"];
  readonly std: Dataset["std"];
  readonly signal?: AbortSignal;
}

/** What a virtual device needs of local training. */
export interface Learner {
  /**
   * Trains on `indices` by the recipe. `weights` are all of the model's parameters, in its order.
   * @throws an error named `DivergedError` when the loss is no longer a number.
   */
  train(
    input: Normalised & {
      readonly weights: readonly NamedTensor[];
      readonly recipe: Recipe;
      readonly images: ImageSet;
      readonly indices: readonly number[];
      readonly onProgress?: (fraction: number) => void;
    },
  ): Promise<{
    readonly weights: readonly NamedTensor[];
    readonly examples: number;
    readonly loss: number;
    readonly accuracy: number;
  }>;
  evaluate(
    input: Normalised & {
      readonly weights: readonly NamedTensor[];
      readonly model: ModelName;
      readonly numClasses: number;
      readonly feature: FeatureSettings;
      readonly task: TaskName;
      readonly test: TestSide;
      readonly indices?: readonly number[];
    },
  ): Promise<Evaluation>;
}

/** The model's parameter list, the only source of names, and its seeded initial values. */
export interface Models {
  parameters(name: ModelName, numClasses: number): readonly ParameterSpec[];
  initialWeights(name: ModelName, numClasses: number, seed: number): readonly NamedTensor[];
}

/**
 * Files of tensors. `write` returns once the whole file is on disk under its name. When the process is killed, a file
 * that ends in `.unfinished` may remain beside it.
 */
export interface TensorFiles {
  read(path: string): Promise<readonly NamedTensor[]>;
  write(
    path: string,
    tensors: readonly NamedTensor[],
    metadata: Readonly<Record<string, string>>,
  ): Promise<unknown>;
}

/** What the entry of the worker process wires in from other rooms. */
export interface DeviceRooms {
  /** Opens the engine with this many threads. Called once per process. */
  openLearner(threads: number): Promise<{ readonly learner: Learner; readonly engine: EngineInfo }>;
  loadDataset(location: DatasetLocation): Promise<Dataset>;
  readonly models: Models;
  readonly files: TensorFiles;
}

/** A clock that never jumps, in milliseconds. `sleep` ends early, without an error, when the signal aborts. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
