import type { PictureSet } from "#contract/dataset.ts";

/** The side of the pictures that the models take. */
export const PICTURE_SIDE = 32;
const CHANNELS = 3;
const PICTURE_SIZE = PICTURE_SIDE * PICTURE_SIDE * CHANNELS;

export type ChannelValues = readonly [number, number, number];

export interface Batch {
  /** (B, 32, 32, 3) normalised. Valid until the next batch is taken. */
  readonly pixels: Float32Array;
  readonly shape: readonly [number, number, number, number];
  /** B labels. */
  readonly labels: Uint8Array;
}

export interface BatchSource {
  /** The samples with these indices of the set, in this order. */
  take(indices: readonly number[]): Batch;
}

/** Normalised value of every byte, per channel: (v / 255 − mean) / std. */
const lookupTables = (mean: ChannelValues, std: ChannelValues): Float32Array[] =>
  [0, 1, 2].map((c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - mean[c]!) / std[c]!));

/**
 * Gathers normalised float batches out of a set of uint8 pictures. One-channel pictures get three equal channels;
 * 28×28 pictures get a border of two black pixels.
 * @throws RangeError for pictures that are neither 28×28 nor 32×32, and for indices outside the set.
 */
export const createBatchSource = (
  pictures: PictureSet,
  mean: ChannelValues,
  std: ChannelValues,
  largestBatch: number,
): BatchSource => {
  const { height, width, channels, pixels, labels, count } = pictures;
  if (height !== width || (height !== PICTURE_SIDE && height !== 28)) {
    throw new RangeError(`pictures must be 32×32 or 28×28, got ${height}×${width}`);
  }
  const border = (PICTURE_SIDE - height) / 2;
  const [red, green, blue] = lookupTables(mean, std) as [Float32Array, Float32Array, Float32Array];
  const buffer = new Float32Array(largestBatch * PICTURE_SIZE);

  const write = (index: number, to: number): void => {
    let from = index * height * width * channels;
    const second = channels === 3 ? 1 : 0;
    if (border > 0) {
      for (let i = to; i < to + PICTURE_SIZE; i += CHANNELS) {
        buffer[i] = red[0]!;
        buffer[i + 1] = green[0]!;
        buffer[i + 2] = blue[0]!;
      }
    }
    for (let y = 0; y < height; y += 1) {
      let at = to + ((y + border) * PICTURE_SIDE + border) * CHANNELS;
      for (let x = 0; x < width; x += 1, from += channels, at += CHANNELS) {
        buffer[at] = red[pixels[from]!]!;
        buffer[at + 1] = green[pixels[from + second]!]!;
        buffer[at + 2] = blue[pixels[from + 2 * second]!]!;
      }
    }
  };

  return {
    take: (indices) => {
      const size = indices.length;
      if (size > largestBatch) throw new RangeError(`a batch of ${size} is above ${largestBatch}`);
      const batchLabels = new Uint8Array(size);
      for (let i = 0; i < size; i += 1) {
        const index = indices[i]!;
        if (!(index >= 0 && index < count)) {
          throw new RangeError(`sample ${index} is outside the set of ${count}`);
        }
        write(index, i * PICTURE_SIZE);
        batchLabels[i] = labels[index]!;
      }
      return {
        pixels: buffer.subarray(0, size * PICTURE_SIZE),
        shape: [size, PICTURE_SIDE, PICTURE_SIDE, CHANNELS],
        labels: batchLabels,
      };
    },
  };
};
