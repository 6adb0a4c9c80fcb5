import { describe, expect, test } from "vitest";
import { type ImageSet, labelledImages, testCount } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { checkLabels, createBatchSource, labelsOf } from "#main/learning/batches.ts";
import { CIFAR_INPUT, type ModelInput } from "#main/learning/models/input.ts";

const set = (height: number, width: number, channels: 1 | 3, count = 2): ImageSet => ({
  count,
  height,
  width,
  channels,
  pixels: Uint8Array.from({ length: count * height * width * channels }, (_, i) => (i * 7) % 256),
  labels: Uint16Array.from({ length: count }, (_, i) => 700 + i),
});
/** Values come out as the bytes themselves, plus 1000 for each channel. */
const take = (images: ImageSet, input: ModelInput, indices: readonly number[]) =>
  createBatchSource(images, input, [0, -1000 / 255, -2000 / 255], [1 / 255, 1 / 255, 1 / 255], 2).take(
    indices,
  );

const WIDE: ModelInput = {
  height: 4,
  width: 6,
  channels: 3,
  border: ({ height, width }) => ({ rows: (4 - height) / 2, columns: (6 - width) / 2 }),
};

describe("a batch has the shape of the model's input", () => {
  test("wider than high, in three channels, with a border on two sides", () => {
    const images = set(4, 2, 3);
    const { shape, pixels } = take(images, WIDE, [1, 0]);
    expect(shape).toEqual([2, 4, 6, 3]);
    const at = (n: number, y: number, x: number, c: number) =>
      Math.round(pixels[((n * 4 + y) * 6 + x) * 3 + c]!);
    for (const c of [0, 1, 2]) {
      expect([at(0, 0, 0, c), at(0, 3, 1, c), at(1, 2, 4, c)]).toEqual(Array(3).fill(1000 * c));
      expect(at(0, 2, 3, c)).toBe(images.pixels[((4 + 2) * 2 + 1) * 3 + c]! + 1000 * c);
      expect(at(1, 0, 2, c)).toBe(images.pixels[c]! + 1000 * c);
    }
  });

  test("one channel stays one where the model takes one", () => {
    const images = set(4, 6, 1);
    const { shape, pixels } = take(images, { ...WIDE, channels: 1 }, [1]);
    expect(shape).toEqual([1, 4, 6, 1]);
    expect([...pixels].map(Math.round)).toEqual([...images.pixels.subarray(24)]);
    expect(() => take(set(4, 6, 3), { ...WIDE, channels: 1 }, [0])).toThrow(/3 channels, the model takes 1/);
  });

  test("CIFAR's models take 32×32 and 28×28 only", () => {
    expect(take(set(28, 28, 1), CIFAR_INPUT, [0]).shape).toEqual([1, 32, 32, 3]);
    for (const [height, width] of [
      [32, 28],
      [30, 30],
      [256, 128],
    ] as const) {
      expect(() => take(set(height, width, 3), CIFAR_INPUT, [0])).toThrow(
        `images must be 32×32 or 28×28, got ${height}×${width}`,
      );
    }
  });
});

test("labels above 255 are kept and checked", () => {
  const images = set(1, 1, 1, 3);
  expect([...labelsOf(images, [2, 0])]).toEqual([702, 700]);
  expect(() => checkLabels(images, [0, 1, 2], 703)).not.toThrow();
  expect(() => checkLabels(images, [0, 1, 2], 702)).toThrow(
    /sample 2 has label 702, the model has 702 classes/,
  );
});

test("queries and a gallery are no labelled images", () => {
  const matched = { ...set(2, 1, 3), identities: Int32Array.of(4, -1), cameras: Int32Array.of(1, 2) };
  const side = { kind: "retrieval", query: matched, gallery: { ...matched, count: 5 } } as const;
  expect(testCount(side)).toBe(7);
  expect(() => labelledImages(side)).toThrow(UserError);
});
