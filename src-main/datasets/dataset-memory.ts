import { createTurns } from "#contract/child-jobs.ts";
import { type Dataset, type DatasetLocation, labelledImages } from "#contract/dataset.ts";
import type { DatasetLabels } from "./data-worker-messages.ts";
import { datasetSha256, loadDataset } from "./datasets.ts";
import { stampOf } from "./digest.ts";

export interface DatasetMemory {
  /** The labels of a data set; read again only when its files were touched. */
  labels(location: DatasetLocation): Promise<DatasetLabels>;
  /**
   * Reads a data set for `work`, and remembers its labels.
   *
   * @throws UserError as `loadDataset` does
   */
  read<T>(location: DatasetLocation, work: (dataset: Dataset) => T | Promise<T>): Promise<T>;
  /** Like `read`, and the data set stays in memory for a while, for the next call. Its labels are not remembered. */
  hold<T>(location: DatasetLocation, work: (dataset: Dataset) => T | Promise<T>): Promise<T>;
  /** Does other work that needs as much memory. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** How long a data set that is held stays in memory after the last use. */
const HELD_MS = 20_000;

const keyOf = async (location: DatasetLocation): Promise<string> =>
  JSON.stringify([location.name, location.format, location.path, await stampOf(location.path)]);

const labelsOf = (dataset: Dataset): DatasetLabels => ({
  // copies: a view would hold, and send, all the memory that it is a part of
  train: dataset.train.labels.slice(),
  test: labelledImages(dataset.test).labels.slice(),
  classes: dataset.classes.length,
  classNames: dataset.classes,
  sha256: datasetSha256(dataset),
});

/**
 * What a process keeps of data sets: the labels of the last one, and the whole of it only while it is read or held. Work
 * is done one piece at a time, because two data sets could be more than the memory holds.
 */
export const createDatasetMemory = (): DatasetMemory => {
  const inTurn = createTurns();
  let known: { key: string; labels: DatasetLabels } | undefined;
  let held: { key: string; dataset: Dataset } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const letGo = (): void => {
    clearTimeout(timer);
    held = undefined;
  };
  const open = async (location: DatasetLocation, key: string): Promise<Dataset> => {
    if (held?.key === key) return held.dataset;
    letGo();
    return loadDataset(location);
  };
  const remember = (key: string, dataset: Dataset): DatasetLabels => {
    if (known?.key !== key) known = { key, labels: labelsOf(dataset) };
    return known.labels;
  };
  return {
    async labels(location) {
      const key = await keyOf(location);
      if (known?.key === key) return known.labels;
      return inTurn(async () =>
        known?.key === key ? known.labels : remember(key, await open(location, key)),
      );
    },
    read: (location, work) =>
      inTurn(async () => {
        const key = await keyOf(location);
        const dataset = await open(location, key);
        remember(key, dataset);
        return work(dataset);
      }),
    hold: (location, work) =>
      inTurn(async () => {
        clearTimeout(timer);
        const key = await keyOf(location);
        held = { key, dataset: await open(location, key) };
        timer = setTimeout(letGo, HELD_MS);
        return work(held.dataset);
      }),
    alone: inTurn,
  };
};
