import { constants, setPriority } from "node:os";
import type { Parent } from "#contract/child.ts";
import { answerJobs } from "#contract/child-jobs.ts";
import { type Dataset, type DatasetLocation, labelledImages, type Partition } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import type { DatasetLabels, DataWork, Dealt, PartWanted } from "./data-worker-messages.ts";
import { datasetSha256, loadDataset } from "./datasets.ts";
import { stampOf } from "./digest.ts";
import { examine } from "./examine.ts";
import { folderPart, type PartFiles, writePart } from "./part-files.ts";
import { sampleSheet } from "./sample-sheet.ts";

export interface DataWorkerHostPorts {
  readonly parent: Parent;
  /** How a study deals its data out; the same function that fixes the partition of a study that is started. */
  deal(
    study: Study,
    labels: DatasetLabels,
  ): { ok: true; partition: Partition | undefined } | { ok: false; problems: readonly StudyProblem[] };
}

/** A data set whose parts are wanted stays in memory for so long after the last one. */
const PARTS_LAST_MS = 20_000;

/**
 * The child's side of `createDataWorker`: answers the parent's jobs until the parent goes. One data set is in memory at a
 * time, and only while it is read, or while devices get their parts of it; its labels stay, for as long as its files
 * are not touched.
 */
export const runDataWorkerHost = ({ parent, deal }: DataWorkerHostPorts): void => {
  let cached: { key: string; labels: DatasetLabels } | undefined;
  let reading: Promise<unknown> = Promise.resolve();
  let open: { key: string; dataset: Dataset } | undefined;
  let openTimer: NodeJS.Timeout | undefined;

  /** One after the other: two data sets at once could be more than the memory holds. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = reading.then(work, work);
    reading = done.catch(() => {});
    return done;
  };
  const keyOf = async (location: DatasetLocation): Promise<string> =>
    JSON.stringify([location.name, location.format, location.path, await stampOf(location.path)]);
  const keep = (key: string, dataset: Dataset): DatasetLabels => {
    if (cached?.key === key) return cached.labels;
    const labels: DatasetLabels = {
      // copies: a view would hold, and send, all the memory that it is a part of
      train: dataset.train.labels.slice(),
      test: labelledImages(dataset.test).labels.slice(),
      classes: dataset.classes.length,
      classNames: dataset.classes,
      sha256: datasetSha256(dataset),
    };
    cached = { key, labels };
    return labels;
  };
  const letGo = (): void => {
    clearTimeout(openTimer);
    open = undefined;
  };
  const load = (location: DatasetLocation): Promise<Dataset> => {
    letGo();
    return loadDataset(location);
  };
  const labelsOf = async (location: DatasetLocation): Promise<DatasetLabels> => {
    const key = await keyOf(location);
    if (cached?.key === key) return cached.labels;
    return inTurn(async () => (cached?.key === key ? cached.labels : keep(key, await load(location))));
  };
  const part = async ({ location, dir, folder, ...samples }: PartWanted): Promise<PartFiles> => {
    const key = await keyOf(location);
    const dataset = open?.key === key ? open.dataset : await load(location);
    open = { key, dataset };
    openTimer = setTimeout(letGo, PARTS_LAST_MS);
    if (folder) return folderPart(dataset, samples);
    try {
      return await writePart(dataset, samples, dir);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      throw new UserError(
        `data: the parts of ${location.name} cannot be written to ${dir} (${message}). Make room there, or see who may write there.`,
        { cause: error },
      );
    }
  };
  const dealt = async (study: Study, location: DatasetLocation): Promise<Dealt> => {
    const labels = await labelsOf(location);
    const { classNames: classes } = labels;
    const samples = labels.train.length;
    const made = deal(study, labels);
    if (!made.ok) return { ok: false, problems: made.problems, classes, samples };
    const { histogram = [], sha256 = "" } = made.partition ?? {};
    return { ok: true, classes, samples, histogram, sha256 };
  };
  try {
    // whoever serves pages goes first
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // not every system lets a process say so
  }
  answerJobs<DataWork>(parent, {
    labels: labelsOf,
    samples: ({ location, perClass }) =>
      inTurn(async () => {
        const key = await keyOf(location);
        const dataset = await load(location);
        keep(key, dataset);
        return sampleSheet(dataset, perClass);
      }),
    examine: (what) => inTurn(() => examine(what)),
    part: (wanted) =>
      inTurn(() => {
        clearTimeout(openTimer);
        return part(wanted);
      }),
    deal: ({ study, location }) => dealt(study, location),
    partition: async ({ study, location }) => {
      const labels = await labelsOf(location);
      const { classNames, sha256 } = labels;
      return { classNames, sha256, ...deal(study, labels) };
    },
  });
};
