/**
 * CIFAR-10 and CIFAR-100: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
 * https://www.cs.toronto.edu/~kriz/cifar.html. An image is three planes (1024 red, 1024 green, 1024 blue bytes, row by
 * row); both forms have the same images in the same order.
 */
import type { ClassLabels, ImageSet } from "#contract/dataset.ts";
import { openPickledDict } from "#main/datasets/pickle/pickled-dict.ts";
import { FETCH_AGAIN, refusal } from "#main/datasets/refusal.ts";
import type { SizeLimit, Source } from "#main/datasets/source.ts";
import { CIFAR10_CLASSES, CIFAR100_CLASSES } from "./cifar-classes.ts";
import { checkBalance, checkLabelRange } from "./class-counts.ts";
import type { Format, Normalisation } from "./format.ts";

const SIDE = 32;
const PLANE_BYTES = SIDE * SIDE;
const IMAGE_BYTES = 3 * PLANE_BYTES;

/** One file of a CIFAR set: `count` images, which go to `split` from image `first` on. */
interface Batch {
  readonly file: string;
  readonly split: "train" | "test";
  readonly first: number;
  readonly count: number;
}

interface Shape {
  readonly classes: readonly string[];
  readonly normalisation: Normalisation;
  readonly batches: readonly Batch[];
}

/** Decodes one batch into its place in `pixels` and `labels`. */
type Decode = (file: string, bytes: Buffer, batch: Batch, pixels: Uint8Array, labels: ClassLabels) => void;

/** Planes to pixels: (N, 3, 32, 32) in `from` becomes (N, 32, 32, 3) in `to`. Offsets in bytes. */
const interleave = (
  from: Uint8Array,
  offset: number,
  stride: number,
  count: number,
  to: Uint8Array,
  first: number,
): void => {
  for (let n = 0, out = first * IMAGE_BYTES; n < count; n++) {
    const start = offset + n * stride;
    for (let i = start; i < start + PLANE_BYTES; i++, out += 3) {
      to[out] = from[i]!;
      to[out + 1] = from[i + PLANE_BYTES]!;
      to[out + 2] = from[i + 2 * PLANE_BYTES]!;
    }
  }
};

const read =
  (shape: Shape, limit: (batch: Batch) => SizeLimit, decode: Decode) =>
  async (source: Source): ReturnType<Format["read"]> => {
    const make = (split: "train" | "test"): ImageSet => {
      const count = shape.batches.reduce((sum, b) => (b.split === split ? sum + b.count : sum), 0);
      return {
        count,
        height: SIDE,
        width: SIDE,
        channels: 3,
        pixels: new Uint8Array(count * IMAGE_BYTES),
        labels: new Uint8Array(count),
      };
    };
    const sets = { train: make("train"), test: make("test") };
    const batches = new Map(shape.batches.map((batch) => [batch.file, batch]));
    const wanted = new Map(shape.batches.map((batch) => [batch.file, limit(batch)]));
    await source.read(wanted, (name, bytes) => {
      const batch = batches.get(name)!;
      const file = `${source.path}: ${name}`;
      const { pixels, labels } = sets[batch.split];
      decode(file, bytes, batch, pixels, labels);
      checkLabelRange(file, labels.subarray(batch.first, batch.first + batch.count), shape.classes.length);
    });
    for (const set of [sets.train, sets.test]) checkBalance(source.path, set, shape.classes.length);
    const test = { kind: "labelled", images: sets.test } as const;
    return { classes: shape.classes, train: sets.train, test, ...shape.normalisation };
  };

/** A record is `labelBytes` labels (the last one counts; CIFAR-100 has the coarse one before it) and an image. */
const binaryReader = (shape: Shape, labelBytes: 1 | 2) => {
  const record = labelBytes + IMAGE_BYTES;
  return read(
    shape,
    ({ count }) => ({ min: count * record, max: count * record }),
    (file, bytes, { first, count }, pixels, labels) => {
      for (let n = 0; n < count; n++) {
        labels[first + n] = bytes[n * record + labelBytes - 1]!;
        if (labelBytes === 2 && bytes[n * record]! >= 20) {
          throw refusal(
            file,
            `record ${n} has coarse label ${bytes[n * record]}, expected 0 to 19`,
            FETCH_AGAIN,
          );
        }
      }
      interleave(bytes, labelBytes, record, count, pixels, first);
    },
  );
};

const pythonReader = (shape: Shape, labelsKey: string) =>
  read(
    shape,
    // protocol 0 escapes bytes: up to four characters each
    ({ count }) => ({ min: count * IMAGE_BYTES, max: count * IMAGE_BYTES * 4 + 2 ** 24 }),
    (file, bytes, { first, count }, pixels, labels) => {
      const dict = openPickledDict(file, bytes);
      labels.set(dict.wholeNumbers(labelsKey, count, shape.classes.length), first);
      interleave(dict.uint8Array("data", [count, IMAGE_BYTES]), 0, IMAGE_BYTES, count, pixels, first);
    },
  );

/** FedNTD's figures (`ntd10`): channel statistics of the 50,000 training images. */
const CIFAR10_NORMALISATION: Normalisation = {
  mean: [0.49139968, 0.48215827, 0.44653124],
  std: [0.24703233, 0.24348505, 0.26158768],
};
const CIFAR100_NORMALISATION: Normalisation = {
  mean: [0.5071, 0.4865, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
};

const cifar10 = (extension: string): Shape => ({
  classes: CIFAR10_CLASSES,
  normalisation: CIFAR10_NORMALISATION,
  batches: [
    ...[0, 1, 2, 3, 4].map(
      (i): Batch => ({
        file: `data_batch_${i + 1}${extension}`,
        split: "train",
        first: i * 10_000,
        count: 10_000,
      }),
    ),
    { file: `test_batch${extension}`, split: "test", first: 0, count: 10_000 },
  ],
});

const cifar100 = (extension: string): Shape => ({
  classes: CIFAR100_CLASSES,
  normalisation: CIFAR100_NORMALISATION,
  batches: [
    { file: `train${extension}`, split: "train", first: 0, count: 50_000 },
    { file: `test${extension}`, split: "test", first: 0, count: 10_000 },
  ],
});

const members = (shape: Shape, md5: Readonly<Record<string, string>> = {}) =>
  shape.batches.map(({ file }) => ({ name: file, ...(md5[file] ? { md5: [md5[file]] } : {}) }));

const CIFAR10_TITLE = "CIFAR-10 (50,000 + 10,000 colour images, 10 classes)";
const CIFAR100_TITLE = "CIFAR-100 (50,000 + 10,000 colour images, 100 classes)";

export const cifar10Binary: Format = {
  name: "cifar10-binary",
  title: CIFAR10_TITLE,
  dataset: "cifar10",
  members: members(cifar10(".bin"), {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
  }),
  archiveMd5: "c32a1d4ab5d03f1284b67883e8d87530",
  read: binaryReader(cifar10(".bin"), 1),
};

export const cifar10Python: Format = {
  name: "cifar10-python",
  title: CIFAR10_TITLE,
  dataset: "cifar10",
  members: members(cifar10(""), {
    data_batch_1: "c99cafc152244af753f735de768cd75f",
    data_batch_2: "d4bba439e000b95fd0a9bffe97cbabec",
    data_batch_3: "54ebc095f3ab1f0389bbae665268c751",
    data_batch_4: "634d18415352ddfa80567beed471001a",
    data_batch_5: "482c414d41f54cd18b22e5b47cb7c3cb",
    test_batch: "40351d587109b95175f43aff81a1287e",
  }),
  archiveMd5: "c58f30108f718f92721af3b95e74349a",
  read: pythonReader(cifar10(""), "labels"),
};

export const cifar100Binary: Format = {
  name: "cifar100-binary",
  title: CIFAR100_TITLE,
  dataset: "cifar100",
  members: members(cifar100(".bin"), {
    "train.bin": "6172c7755cfe09b2fe270c85cebc1b15",
    "test.bin": "4499cfba6c016c1be1438163640a0898",
  }),
  archiveMd5: "03b5dce01913d631647c71ecec9e9cb8",
  read: binaryReader(cifar100(".bin"), 2),
};

export const cifar100Python: Format = {
  name: "cifar100-python",
  title: CIFAR100_TITLE,
  dataset: "cifar100",
  members: members(cifar100(""), {
    train: "16019d7e3df5f24257cddd939b257f8d",
    test: "f0ef6b0ae62326f3e7ffdfab6717acfc",
  }),
  archiveMd5: "eb9058c3a382ffc7106e4002c42a8d85",
  read: pythonReader(cifar100(""), "fine_labels"),
};
