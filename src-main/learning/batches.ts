import type { ImageSet, Images } from "#contract/dataset.ts";
import type { ModelInput } from "./models/input.ts";

export type ChannelValues = readonly [number, number, number];

export interface Batch {
  /** (B, height, width, channels) of the model's input, normalised. Valid until the next batch is taken. */
  readonly pixels: Float32Array;
  readonly shape: readonly [number, number, number, number];
}

export interface BatchSource {
  /**
   * The images with these indices, in this order.
   * @throws RangeError for an index outside the set, and for more images than `largestBatch`.
   */
  take(indices: readonly number[]): Batch;
}

/** Normalised value of every byte, per channel: (v / 255 − mean) / std. */
const lookupTables = (mean: ChannelValues, std: ChannelValues): Float32Array[] =>
  [0, 1, 2].map((c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - mean[c]!) / std[c]!));

/**
 * Gathers normalised float batches from uint8 images, fitted into the model's input: black around images that are
 * smaller, and the one channel of a greyscale image repeated where the model takes three.
 * @throws RangeError for images that the model cannot take.
 */
export const createBatchSource = (
  images: Images,
  input: ModelInput,
  mean: ChannelValues,
  std: ChannelValues,
  largestBatch: number,
): BatchSource => {
  const { height, width, channels, pixels, count } = images;
  if (channels > input.channels) {
    throw new RangeError(`the images have ${channels} channels, the model takes ${input.channels}`);
  }
  const border = input.border(images);
  const tables = lookupTables(mean, std).slice(0, input.channels);
  const size = input.height * input.width * input.channels;
  const buffer = new Float32Array(largestBatch * size);
  const black = Float32Array.from({ length: size }, (_, i) => tables[i % input.channels]![0]!);

  /** Writes one channel of an image, `to` being where the image begins in the buffer. */
  const writeChannel = (index: number, to: number, channel: number): void => {
    const table = tables[channel]!;
    const step = input.channels;
    let from = index * height * width * channels + (channels === 1 ? 0 : channel);
    for (let y = 0; y < height; y += 1) {
      let at = to + ((y + border.rows) * input.width + border.columns) * step + channel;
      for (let x = 0; x < width; x += 1, from += channels, at += step) buffer[at] = table[pixels[from]!]!;
    }
  };

  return {
    take: (indices) => {
      const n = indices.length;
      if (n > largestBatch) throw new RangeError(`a batch of ${n} is above ${largestBatch}`);
      for (let i = 0; i < n; i += 1) {
        const index = indices[i]!;
        if (!(index >= 0 && index < count)) {
          throw new RangeError(`sample ${index} is outside the set of ${count}`);
        }
        if (border.rows > 0 || border.columns > 0) buffer.set(black, i * size);
        for (let channel = 0; channel < input.channels; channel += 1) writeChannel(index, i * size, channel);
      }
      return {
        pixels: buffer.subarray(0, n * size),
        shape: [n, input.height, input.width, input.channels],
      };
    },
  };
};

/** The labels of the samples with these indices, in this order. */
export const labelsOf = ({ labels }: ImageSet, indices: readonly number[]): Uint16Array =>
  Uint16Array.from(indices, (index) => labels[index]!);

/** @throws RangeError where a label does not fit the number of classes. */
export const checkLabels = ({ labels }: ImageSet, indices: readonly number[], numClasses: number): void => {
  for (const index of indices) {
    if (labels[index]! >= numClasses) {
      throw new RangeError(`sample ${index} has label ${labels[index]}, the model has ${numClasses} classes`);
    }
  }
};
