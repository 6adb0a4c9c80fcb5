import { type Dataset, testCount } from "#contract/dataset.ts";
import type { SampleSheet } from "./data-worker-messages.ts";
import { encodePng } from "./png.ts";

/**
 * The first training images of each class on one sheet: row = class, column = one image, without gaps. Where a class
 * has fewer images than columns, the rest of its row is white.
 */
export const sampleSheet = ({ classes, train, test }: Dataset, columns: number): SampleSheet => {
  const { width, height, channels, pixels, labels } = train;
  const line = width * channels;
  const sheetLine = columns * line;
  const sheet = new Uint8Array(classes.length * height * sheetLine).fill(255);
  const perClass = new Array<number>(classes.length).fill(0);
  for (let i = 0; i < train.count; i++) {
    const label = labels[i]!;
    const column = perClass[label]!;
    perClass[label] = column + 1;
    if (column >= columns) continue;
    for (let y = 0; y < height; y++) {
      const from = (i * height + y) * line;
      const to = (label * height + y) * sheetLine + column * line;
      sheet.set(pixels.subarray(from, from + line), to);
    }
  }
  const png = encodePng({ width: columns * width, height: classes.length * height, channels, pixels: sheet });
  return { classes, train: train.count, test: testCount(test), perClass, columns, width, height, png };
};
