import type { ForkChild } from "#contract/child.ts";
import { createChildJobs, createTurns } from "#contract/child-jobs.ts";
import type { DatasetLocation } from "#contract/dataset.ts";
import type { Study } from "#contract/study.ts";
import type {
  DatasetLabels,
  DataWork,
  Dealt,
  FullyDealt,
  PartWanted,
  SampleSheet,
} from "./data-worker-messages.ts";
import type { Examination } from "./examine.ts";
import type { Registered } from "./inspect.ts";
import type { PartFiles } from "./part-files.ts";

/** Heavy work on data sets in a process of its own, so that the one that serves pages stays free. */
export interface DataWorker {
  /** @throws UserError that names the file, as `loadDataset` does */
  labels(location: DatasetLocation): Promise<DatasetLabels>;
  /** @throws UserError that names the file, as `loadDataset` does */
  samples(location: DatasetLocation, perClass: number): Promise<SampleSheet>;
  /** @throws UserError as `examine` does */
  examine(what: Examination): Promise<Registered>;
  /**
   * The partition that a study would have, without its lists of samples. One is dealt at a time. When the asker leaves,
   * the promise rejects at once, and a partition whose turn has not come is never dealt.
   */
  deal(study: Study, location: DatasetLocation, asker?: AbortSignal): Promise<Dealt>;
  /** The partition of a study that starts. It waits for at most one preview: the one that is being dealt. */
  partition(study: Study, location: DatasetLocation): Promise<FullyDealt>;
  /**
   * A device's part of a data set. The data set stays in memory for some seconds, for the other devices of the study.
   * @throws UserError that names the file, as `loadDataset` does, or when the files cannot be written
   */
  part(wanted: PartWanted): Promise<PartFiles>;
  /** Undefined while there is no process. */
  readonly pid: number | undefined;
  /** Ends the process; jobs that still wait are rejected. */
  close(): Promise<void>;
}

export interface DataWorkerOptions {
  readonly fork: ForkChild;
  /** The child's root, a file that calls `runDataWorkerHost`. */
  readonly entry: URL;
  /** A process without work ends after this long, in milliseconds. @default 60000 */
  readonly idleMs?: number;
}

/** Starts no process yet: the first job does. */
export const createDataWorker = ({ fork, entry, idleMs }: DataWorkerOptions): DataWorker => {
  const jobs = createChildJobs<DataWork>({
    fork,
    entry,
    name: "fedfleet data",
    called: "the process that reads data sets",
    closing: "the lab is closing: the data set was not read",
    idleMs,
  });
  // Trying an impossible partition takes seconds, and a moving slider asks for many.
  const inTurn = createTurns("this partition is no longer needed");

  return {
    labels: (location) => jobs.ask("labels", location),
    samples: (location, perClass) => jobs.ask("samples", { location, perClass }),
    examine: (what) => jobs.ask("examine", what),
    deal: (study, location, asker) => inTurn(() => jobs.ask("deal", { study, location }), asker),
    partition: (study, location) => jobs.ask("partition", { study, location }),
    part: (wanted) => jobs.ask("part", wanted),
    get pid() {
      return jobs.pid;
    },
    close: jobs.close,
  };
};
