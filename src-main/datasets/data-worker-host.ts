import { constants, setPriority } from "node:os";
import type { Parent } from "#contract/child.ts";
import { answerJobs } from "#contract/child-jobs.ts";
import type { DatasetLocation, Partition } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { DatasetLabels, DataWork, Dealt, FullyDealt, PartWanted } from "./data-worker-messages.ts";
import { createDatasetMemory } from "./dataset-memory.ts";
import { examine } from "./examine.ts";
import { folderPart, type PartFiles, writePart } from "./part-files.ts";
import { sampleSheet } from "./sample-sheet.ts";

export interface DataWorkerHostPorts {
  readonly parent: Parent;
  /** Deals the data of a study out. */
  deal(
    study: Study,
    labels: DatasetLabels,
  ): { ok: true; partition: Partition | undefined } | { ok: false; problems: readonly StudyProblem[] };
}

/** A partition without its lists of samples: what a preview shows. */
const summaryOf = (dealt: FullyDealt): Dealt => {
  const { classNames: classes, samples } = dealt;
  if (!dealt.ok) return { ok: false, problems: dealt.problems, classes, samples };
  const { histogram = [], sha256 = "" } = dealt.partition ?? {};
  return { ok: true, classes, samples, histogram, sha256 };
};

/**
 * The child's side of `createDataWorker`: answers the parent's jobs until the parent ends. One data set is in memory at
 * a time, and only while it is read, or while devices get their parts of it; its labels stay until its files change.
 */
export const runDataWorkerHost = ({ parent, deal }: DataWorkerHostPorts): void => {
  const memory = createDatasetMemory();

  const part = ({ location, dir, folder, ...samples }: PartWanted): Promise<PartFiles> =>
    memory.hold(location, async (dataset) => {
      if (folder) return folderPart(dataset, samples);
      try {
        return await writePart(dataset, samples, dir);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        throw new UserError(
          `data: the parts of ${location.name} cannot be written to ${dir} (${message}). Free some space there, or check its permissions.`,
          { cause: error },
        );
      }
    });
  /** The one place where data is dealt, for a preview as for a study that starts. */
  const dealt = async (study: Study, location: DatasetLocation): Promise<FullyDealt> => {
    const labels = await memory.labels(location);
    const { classNames, sha256 } = labels;
    return { classNames, samples: labels.train.length, sha256, ...deal(study, labels) };
  };
  try {
    // the process that serves pages goes first
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // not every system allows it
  }
  answerJobs<DataWork>(parent, {
    labels: memory.labels,
    samples: ({ location, perClass }) => memory.read(location, (dataset) => sampleSheet(dataset, perClass)),
    examine: (what) => memory.alone(() => examine(what)),
    part,
    deal: async ({ study, location }) => summaryOf(await dealt(study, location)),
    partition: ({ study, location }) => dealt(study, location),
  });
};
