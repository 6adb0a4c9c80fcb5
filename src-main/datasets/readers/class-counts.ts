import type { ClassLabels, ImageSet } from "#contract/dataset.ts";
import { FETCH_AGAIN, refusal } from "#main/datasets/refusal.ts";

/**
 * Refuses labels of classes that do not exist.
 *
 * @param file named in the refusal
 */
export const checkLabelRange = (file: string, labels: ClassLabels, classes: number): void => {
  const bad = labels.findIndex((label) => label >= classes);
  if (bad >= 0) {
    throw refusal(file, `record ${bad} has label ${labels[bad]}, expected 0 to ${classes - 1}`, FETCH_AGAIN);
  }
};

/**
 * Refuses a set whose classes differ in size. All data sets here are published balanced, so this notices exchanged
 * labels, and other data in the same form: MNIST has Fashion-MNIST's file names and shapes.
 */
export const checkBalance = (
  file: string,
  set: Pick<ImageSet, "labels">,
  classes: number,
  hint = "",
): void => {
  const counts = new Array<number>(classes).fill(0);
  for (const label of set.labels) counts[label] = counts[label]! + 1;
  const each = set.labels.length / classes;
  const bad = counts.findIndex((count) => count !== each);
  if (bad >= 0) {
    throw refusal(
      file,
      `class ${bad} has ${counts[bad]} images, expected ${each} in every class${hint}`,
      FETCH_AGAIN,
    );
  }
};
