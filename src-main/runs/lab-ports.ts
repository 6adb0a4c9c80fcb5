import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import type { Emit } from "#contract/events.ts";
import type { EngineInfo, Evaluation, FeatureSettings, ModelName, TaskName } from "#contract/jobs.ts";
import type { AlgorithmName, Study } from "#contract/study.ts";
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
  /** What its latest runs were computed with. */
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
    checkpoint: string;
    model: ModelName;
    numClasses: number;
    feature: FeatureSettings;
    task: TaskName;
    dataset: DatasetLocation;
  }): Promise<Evaluation>;
  readonly engine: EngineInfo;
  /** Aborted, with a UserError, when a part of it is gone for good. */
  readonly broken: AbortSignal;
  /** `politely`: devices are told to leave and may finish what they do; else everything ends at once. */
  close(politely: boolean): Promise<void>;
}

/** What the lab hands to the conductor of studies. */
export interface LabPorts {
  readonly datasets: {
    /** @throws UserError when the name is unknown or the data set is not on this computer. */
    find(name: string): Promise<DatasetLocation>;
    /** SHA-256 over pictures and labels. @throws UserError that names the file */
    labels(location: DatasetLocation): Promise<{ readonly sha256: string }>;
    /** As `openStudy` does it, where it keeps nobody waiting. @throws UserError that names the file */
    partition(
      study: Study,
      location: DatasetLocation,
    ): Promise<
      ReturnType<typeof openStudy> & { readonly classNames: readonly string[]; readonly sha256: string }
    >;
  };
  /** Whether the fleet has a board called so. */
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
      /** SHA-256 of the pictures and labels; undefined where only clients hold data. */
      datasetSha: string | undefined;
      runs: readonly PlannedRun[];
      engine: EngineInfo;
    }): string;
    get(id: string): StoredStudy | undefined;
    /** Forgets a study in which nothing was recorded. */
    remove(id: string): void;
    /** The engine that the runs which start from now on are computed with. */
    setEngine(id: string, engine: EngineInfo): void;
  };
  /** First weights that came from a client, kept with the study. */
  readonly initial: {
    read(study: string): Promise<readonly NamedTensor[] | undefined>;
    write(study: string, tensors: readonly NamedTensor[]): Promise<void>;
  };
  /** Brings up server, fleet and evaluator for a study; rejects with a UserError when that cannot be. */
  equip(input: {
    id: string;
    study: Study;
    dataset: DatasetLocation | undefined;
    partition: Partition | undefined;
    numClasses: number;
    /** Aborted when a person stops the study: it rejects once what was up is down again. */
    signal: AbortSignal;
  }): Promise<Equipment>;
  /** The engine that studies of this lab will use, for the record. */
  engine(): Promise<EngineInfo>;
  readonly run: Omit<RunPorts, "clients" | "evaluate" | "emit">;
  readonly emit: Emit;
  /** A sentence for the person who started the study. */
  readonly say: (message: string) => void;
  readonly sha256: (text: string) => string;
}
