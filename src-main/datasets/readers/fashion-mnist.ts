/**
 * Fashion-MNIST: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
 * Algorithms", 2017, https://arxiv.org/abs/1708.07747. Idx files: big-endian magic (0x0803 images, 0x0801
 * labels), one 32-bit size per dimension, then bytes, row by row.
 */
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { ImageSet } from "#contract/dataset.ts";
import { FETCH_AGAIN, refusal } from "#main/datasets/refusal.ts";
import type { SizeLimit, Source } from "#main/datasets/source.ts";
import { checkBalance, checkLabelRange } from "./class-counts.ts";
import type { Format, Member, Normalisation } from "./format.ts";

const FASHION_CLASSES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
] as const;

/**
 * Pixels to −1 … 1, as in PyTorch's own Fashion-MNIST tutorial. The data's own figures (.2860 and .3530 before
 * padding) stretch the values further, and with the grey channel repeated three times that is enough for FedAvg on
 * two classes per client (examples/forgetting.yaml) to stay at chance in two trials of three, in PyTorch too.
 */
const NORMALISATION: Normalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

const SIDE = 28;
const PAD = 2;
const PADDED = SIDE + 2 * PAD;
const IMAGES_MAGIC = 0x0803;
const LABELS_MAGIC = 0x0801;

const unpack = promisify(gunzip);

/** The plain bytes of an idx file that may be compressed. `expected` bounds what a compressed bomb can unpack to. */
const plain = async (file: string, bytes: Buffer, expected: number): Promise<Buffer> => {
  let content = bytes;
  if (file.endsWith(".gz")) {
    try {
      content = await unpack(bytes, { maxOutputLength: expected + 1 });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ERR_BUFFER_TOO_LARGE") {
        throw refusal(file, `unpacks to more than the expected ${expected} bytes`, FETCH_AGAIN, error);
      }
      throw refusal(file, `damaged gzip file (${message})`, FETCH_AGAIN, error);
    }
  }
  return content;
};

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;

/** Checks the header and returns the bytes after it. */
const idxBody = (file: string, content: Buffer, magic: number, dims: readonly number[]): Buffer => {
  const header = 4 + 4 * dims.length;
  const expected = header + dims.reduce((a, b) => a * b, 1);
  if (content.length >= 4 && content.readUInt32BE(0) !== magic) {
    const what = magic === IMAGES_MAGIC ? "images" : "labels";
    throw refusal(
      file,
      `starts with ${hex(content.readUInt32BE(0))}, expected ${hex(magic)} (idx ${what})`,
      FETCH_AGAIN,
    );
  }
  if (content.length < header)
    throw refusal(file, `expected ${expected} bytes, found ${content.length}`, FETCH_AGAIN);
  const found = dims.map((_, i) => content.readUInt32BE(4 + 4 * i));
  if (found.some((size, i) => size !== dims[i])) {
    throw refusal(file, `contains ${found.join(" × ")}, expected ${dims.join(" × ")}`, FETCH_AGAIN);
  }
  if (content.length !== expected) {
    throw refusal(file, `expected ${expected} bytes unpacked, found ${content.length}`, FETCH_AGAIN);
  }
  return content.subarray(header);
};

/** 28×28 greyscale images, each in the middle of a black 32×32 one. */
const pad = (body: Buffer, count: number): Uint8Array => {
  const out = new Uint8Array(count * PADDED * PADDED);
  for (let n = 0, from = 0; n < count; n++) {
    let to = (n * PADDED + PAD) * PADDED + PAD;
    for (let row = 0; row < SIDE; row++, from += SIDE, to += PADDED) {
      for (let i = 0; i < SIDE; i++) out[to + i] = body[from + i]!;
    }
  }
  return out;
};

const IMAGES = { train: "train-images-idx3-ubyte", test: "t10k-images-idx3-ubyte" } as const;
const LABELS = { train: "train-labels-idx1-ubyte", test: "t10k-labels-idx1-ubyte" } as const;

const reader =
  (counts: { readonly train: number; readonly test: number }) =>
  async (source: Source): Promise<Awaited<ReturnType<Format["read"]>>> => {
    const present = new Set((await source.list()).map((file) => file.name));
    const wanted = new Map<string, SizeLimit>();
    const role = new Map<string, { split: "train" | "test"; labels: boolean }>();
    for (const split of ["train", "test"] as const) {
      for (const labels of [false, true]) {
        const name = (labels ? LABELS : IMAGES)[split];
        const size = labels ? 8 + counts[split] : 16 + counts[split] * SIDE * SIDE;
        const compressed = !present.has(name) && present.has(`${name}.gz`);
        const file = compressed ? `${name}.gz` : name;
        // gzip adds little to what it cannot compress
        wanted.set(file, compressed ? { min: 1, max: size + (size >> 8) + 1024 } : { min: size, max: size });
        role.set(file, { split, labels });
      }
    }
    const pixels: { train?: Uint8Array; test?: Uint8Array } = {};
    const labels: { train?: Uint8Array; test?: Uint8Array } = {};
    await source.read(wanted, async (name, bytes) => {
      const file = join(source.path, name);
      const { split, labels: isLabels } = role.get(name)!;
      const count = counts[split];
      if (isLabels) {
        const body = idxBody(file, await plain(file, bytes, 8 + count), LABELS_MAGIC, [count]);
        checkLabelRange(file, body, FASHION_CLASSES.length);
        checkBalance(
          file,
          { labels: body },
          FASHION_CLASSES.length,
          " (MNIST has the same file names: are these its files?)",
        );
        labels[split] = new Uint8Array(body);
      } else {
        const content = await plain(file, bytes, 16 + count * SIDE * SIDE);
        pixels[split] = pad(idxBody(file, content, IMAGES_MAGIC, [count, SIDE, SIDE]), count);
      }
    });
    const set = (split: "train" | "test"): ImageSet => ({
      count: counts[split],
      height: PADDED,
      width: PADDED,
      channels: 1,
      pixels: pixels[split]!,
      labels: labels[split]!,
    });
    const test = { kind: "labelled", images: set("test") } as const;
    return { classes: FASHION_CLASSES, train: set("train"), test, ...NORMALISATION };
  };

/**
 * Three MD5 sums for each file: the publisher's; that of Debian's package, which left name and time out of the gzip
 * header (a test puts them back and gets the publisher's sums); that of the unpacked file.
 */
const members = (md5: Readonly<Record<string, readonly string[]>>): readonly Member[] =>
  [IMAGES.train, LABELS.train, IMAGES.test, LABELS.test].map((name) => ({
    name,
    gzip: true,
    ...(md5[name] ? { md5: md5[name] } : {}),
  }));

export const fashionMnist: Format = {
  name: "fashion-mnist-idx",
  title: "Fashion-MNIST (60,000 + 10,000 greyscale images, 10 classes)",
  dataset: "fashion-mnist",
  members: members({
    [IMAGES.train]: [
      "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
      "cf8536b0aa1a6ac5fa3f23001093305c",
      "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    ],
    [LABELS.train]: [
      "25c81989df183df01b3e8a0aad5dffbe",
      "10bea18fdb374794d4bb42e356e600c9",
      "9018921c3c673c538a1fc5bad174d6f9",
    ],
    [IMAGES.test]: [
      "bef4ecab320f06d8554ea6380940ec79",
      "f78720b4224f21cce2f2ccf2d7a94c9a",
      "8181f5470baa50b63fa0f6fddb340f0a",
    ],
    [LABELS.test]: [
      "bb300cfdad3c16e7a12a480ee83cd310",
      "0d30e22e447f3c33dab9ed536400ac01",
      "15d484375f8d13e6eb1aabb0c3f46965",
    ],
  }),
  read: reader({ train: 60_000, test: 10_000 }),
};

const FASHION_SAMPLE_COUNTS = { train: 6_000, test: 1_000 } as const;

export const fashionMnistSample: Format = {
  name: "fashion-mnist-sample-idx",
  title: "Fashion-MNIST sample (6,000 + 1,000 greyscale images, 10 classes), bundled",
  dataset: "fashion-mnist-sample",
  members: members({}),
  read: reader(FASHION_SAMPLE_COUNTS),
};
