import type { AlgorithmName } from "#contract/algorithms/algorithms.ts";
import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import type { Emit } from "#contract/events.ts";
import type { EngineInfo, Evaluation, FeatureSettings, ModelName } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import type { TaskName } from "#contract/tasks/tasks.ts";
import type { NamedTensor, ParameterSpec } from "#contract/tensor.ts";
import type { openStudy, PlannedRun } from "./open-study.ts";
import type { Clients, RunPorts } from "./ports.ts";

/** A study as the store holds it. */
export interface StoredStudy {
  readonly id: string;
  readonly study: Study;
  readonly partition: Partition | undefined;
  readonly classes: readonly string[];
  readonly datasetSha?: string;
  /** The engine of its latest runs. */
  readonly engine: EngineInfo;
  readonly runs: readonly {
    readonly id: string;
    readonly algorithm: AlgorithmName;
    readonly trial: number;
    readonly seed: number;
    readonly status: string;
  }[];
}

/** The equipment that a study needs while it runs: the server that listens, the fleet, the evaluator. */
export interface Equipment {
  readonly clients: Clients;
  /** Central evaluation of a checkpoint file. */
  evaluate(job: {
    task: TaskName;
    checkpoint: string;
    model: ModelName;
    numClasses: number;
    /** As the run's algorithm trains it. */
    feature: FeatureSettings;
    dataset: DatasetLocation;
  }): Promise<Evaluation>;
  /** Tells the crews which run begins. */
  onRunBegins(run: string): void;
  readonly engine: EngineInfo;
  /** Aborted, with a UserError, when a part of it is lost for good. */
  readonly broken: AbortSignal;
  /** `politely`: the server tells devices to leave, and they may finish; otherwise everything ends immediately. */
  close(politely: boolean): Promise<void>;
}

/** What the lab gives to the conductor of studies. */
export interface LabPorts {
  readonly datasets: {
    /** @throws UserError when the name is unknown or the data set is not on this computer. */
    find(name: string): Promise<DatasetLocation>;
    /** SHA-256 over images and labels. @throws UserError that names the file */
    labels(location: DatasetLocation): Promise<{ readonly sha256: string }>;
    /** As `openStudy`, in a process where it blocks nothing else. @throws UserError that names the file */
    partition(
      study: Study,
      location: DatasetLocation,
    ): Promise<
      ReturnType<typeof openStudy> & { readonly classNames: readonly string[]; readonly sha256: string }
    >;
  };
  /** Whether the fleet has a board of this name. */
  isBoard(name: string): boolean;
  readonly models: {
    parameters(name: ModelName, numClasses: number): readonly ParameterSpec[];
    initialWeights(name: ModelName, numClasses: number, seed: number): readonly NamedTensor[];
  };
  readonly records: {
    create(input: {
      study: Study;
      partition: Partition | undefined;
      classes: readonly string[];
      /** SHA-256 of the images and labels; undefined where only clients hold data. */
      datasetSha: string | undefined;
      runs: readonly PlannedRun[];
      engine: EngineInfo;
    }): string;
    get(id: string): StoredStudy | undefined;
    /** Deletes a study that has no recorded round. */
    remove(id: string): void;
    /** The engine of the runs that start from now on. */
    setEngine(id: string, engine: EngineInfo): void;
  };
  /** First weights that came from a client, kept with the study. */
  readonly initial: {
    read(study: string): Promise<readonly NamedTensor[] | undefined>;
    write(study: string, tensors: readonly NamedTensor[]): Promise<void>;
  };
  /** Brings up server, fleet and evaluator for a study; rejects with a UserError when that fails. */
  equip(input: {
    id: string;
    study: Study;
    dataset: DatasetLocation | undefined;
    partition: Partition | undefined;
    numClasses: number;
    /** The first run to conduct. */
    firstRun: string;
    /** Aborted when a person stops the study: it rejects once everything it had started is down again. */
    signal: AbortSignal;
  }): Promise<Equipment>;
  /** The engine that studies of this lab will use; it is recorded with the study. */
  engine(): Promise<EngineInfo>;
  readonly run: Omit<RunPorts, "clients" | "evaluate" | "emit">;
  readonly emit: Emit;
  /** A sentence for the person who started the study. */
  readonly say: (message: string) => void;
  readonly sha256: (text: string) => string;
}
