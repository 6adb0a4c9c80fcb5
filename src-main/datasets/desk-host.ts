import { constants, setPriority } from "node:os";
import type { Parent } from "#contract/child.ts";
import { answerJobs } from "#contract/child-jobs.ts";
import type { Dataset, DatasetLocation, Partition } from "#contract/dataset.ts";
import type { Study, StudyProblem } from "#contract/study.ts";
import { datasetSha256, loadDataset } from "./datasets.ts";
import type { Dealt, DeskLabels, DeskWork } from "./desk-messages.ts";
import { stampOf } from "./digest.ts";
import { examine } from "./examine.ts";
import { sampleSheet } from "./sample-sheet.ts";

export interface DeskHostPorts {
  readonly parent: Parent;
  /** How a study deals its data out; the same function that fixes the partition of a study that is started. */
  deal(
    study: Study,
    labels: DeskLabels,
  ): { ok: true; partition: Partition | undefined } | { ok: false; problems: readonly StudyProblem[] };
}

/**
 * The child's side of `createDesk`: answers the parent's jobs until the parent goes. One data set is in memory at a
 * time, and only while it is read; its labels stay, for as long as its files are not touched.
 */
export const runDeskHost = ({ parent, deal }: DeskHostPorts): void => {
  let cached: { key: string; labels: DeskLabels } | undefined;
  let reading: Promise<unknown> = Promise.resolve();

  /** One after the other: two data sets at once could be more than the memory holds. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = reading.then(work, work);
    reading = done.catch(() => {});
    return done;
  };
  const keyOf = async (location: DatasetLocation): Promise<string> =>
    JSON.stringify([location.name, location.format, location.path, await stampOf(location.path)]);
  const keep = (key: string, dataset: Dataset): DeskLabels => {
    if (cached?.key === key) return cached.labels;
    const labels: DeskLabels = {
      // copies: a view would hold, and send, all the memory that it is a part of
      train: dataset.train.labels.slice(),
      test: dataset.test.labels.slice(),
      classes: dataset.classes.length,
      classNames: dataset.classes,
      sha256: datasetSha256(dataset),
    };
    cached = { key, labels };
    return labels;
  };
  const labelsOf = async (location: DatasetLocation): Promise<DeskLabels> => {
    const key = await keyOf(location);
    if (cached?.key === key) return cached.labels;
    return inTurn(async () => (cached?.key === key ? cached.labels : keep(key, await loadDataset(location))));
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
  answerJobs<DeskWork>(parent, {
    labels: labelsOf,
    samples: ({ location, perClass }) =>
      inTurn(async () => {
        const key = await keyOf(location);
        const dataset = await loadDataset(location);
        keep(key, dataset);
        return sampleSheet(dataset, perClass);
      }),
    examine: (what) => inTurn(() => examine(what)),
    deal: ({ study, location }) => dealt(study, location),
    partition: async ({ study, location }) => {
      const labels = await labelsOf(location);
      const { classNames, sha256 } = labels;
      return { classNames, sha256, ...deal(study, labels) };
    },
  });
};
