import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { labelledImages } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import {
  fashionFiles,
  idxImages,
  idxLabels,
  NO_NUMPY,
  python,
  sample,
  temporaryFolder,
  writeFolder,
} from "#test/main/datasets/forms.ts";

const SAMPLE = join(import.meta.dirname, "../../../../resources/data/fashion-mnist-sample");
const DEBIAN = "/usr/share/datasets/fashion-mnist";
const NO_DEBIAN = process.env.CI !== "true" && !existsSync(DEBIAN);

const load = (path: string) => loadDataset({ name: "x", format: "fashion-mnist-sample-idx", path });
const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.dispose());

describe("the bundled sample", () => {
  it("is balanced, complete, and the files of its manifest", async () => {
    const data = await load(SAMPLE);
    for (const [set, each] of [
      [data.train, 600],
      [labelledImages(data.test), 100],
    ] as const) {
      const counts = new Array<number>(10).fill(0);
      for (const label of set.labels) counts[label]!++;
      expect(counts).toEqual(new Array(10).fill(each));
      expect(set.pixels.length).toBe(set.count * 32 * 32);
      expect([set.height, set.width, set.channels]).toEqual([32, 32, 1]);
    }
    const manifest = JSON.parse(readFileSync(join(SAMPLE, "manifest.json"), "utf8"));
    for (const { name, bytes, sha256, unpackedSha256 } of manifest.files) {
      const file = readFileSync(join(SAMPLE, name));
      expect(file.length).toBe(bytes);
      expect(createHash("sha256").update(file).digest("hex")).toBe(sha256);
      expect(createHash("sha256").update(gunzipSync(file)).digest("hex")).toBe(unpackedSha256);
    }
    expect(readFileSync(join(SAMPLE, "LICENSE"), "utf8")).toContain("Zalando SE");
  });

  it.skipIf(NO_DEBIAN)("holds the first 600 and 100 real pictures of every class, in order", async () => {
    const [small, whole] = [
      await load(SAMPLE),
      await loadDataset({ name: "x", format: "fashion-mnist-idx", path: DEBIAN }),
    ];
    for (const split of ["train", "test"] as const) {
      const [ours, theirs] = [small, whole].map((d) =>
        split === "train" ? d.train : labelledImages(d.test),
      );
      const each = ours!.count / 10;
      const seen = new Array<number>(10).fill(0);
      let n = 0;
      theirs!.labels.forEach((label, i) => {
        if (seen[label]!++ >= each) return;
        const a = ours!.pixels.subarray(n * 1024, (n + 1) * 1024);
        const b = theirs!.pixels.subarray(i * 1024, (i + 1) * 1024);
        if (ours!.labels[n] !== label || Buffer.compare(a, b) !== 0) {
          expect.unreachable(`picture ${n} of ${split} is not picture ${i} of the whole set`);
        }
        n++;
      });
      expect(n).toBe(each * 10);
    }
  });
});

describe("the whole Fashion-MNIST", () => {
  it.skipIf(NO_DEBIAN)(
    "has the mean and deviation that are published for it, before padding; pictures go to -1 … 1 all the same",
    async () => {
      const started = performance.now();
      const { train, mean, std } = await loadDataset({
        name: "x",
        format: "fashion-mnist-idx",
        path: DEBIAN,
      });
      expect(performance.now() - started).toBeLessThan(10_000); // 0.6 s measured; the bound is for a busy machine
      // padding adds zeros only: sums over the padded pictures are sums over the 28×28 ones
      let sum = 0;
      let squares = 0;
      for (const p of train.pixels) {
        sum += p;
        squares += p * p;
      }
      const count = train.count * 28 * 28;
      const m = sum / count / 255;
      expect(m).toBeCloseTo(0.286, 4);
      expect(Math.sqrt(squares / count / 255 ** 2 - m * m)).toBeCloseTo(0.353, 4);
      expect([mean, std]).toEqual([
        [0.5, 0.5, 0.5],
        [0.5, 0.5, 0.5],
      ]);
    },
  );

  it.skipIf(NO_DEBIAN || NO_NUMPY)("is, pixel by pixel, what numpy reads and pads", async () => {
    const data = await loadDataset({ name: "x", format: "fashion-mnist-idx", path: DEBIAN });
    const expected = python(
      `import gzip, hashlib, numpy as np, sys
for split in ("train", "t10k"):
    x = np.frombuffer(gzip.open(f"{sys.argv[1]}/{split}-images-idx3-ubyte.gz").read(), np.uint8, offset=16)
    y = np.frombuffer(gzip.open(f"{sys.argv[1]}/{split}-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
    x = np.pad(x.reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
    print(hashlib.sha256(x.tobytes()).hexdigest(), hashlib.sha256(y.tobytes()).hexdigest())`,
      DEBIAN,
    );
    const sha256 = (bytes: NodeJS.TypedArray) => createHash("sha256").update(bytes).digest("hex");
    const found = [data.train, labelledImages(data.test)].map(
      (set) => `${sha256(set.pixels)} ${sha256(set.labels)}`,
    );
    expect(found).toEqual(expected.trim().split("\n"));
  });
});

describe("idx files", () => {
  const write = (change: (files: Map<string, () => Buffer>) => void = () => {}) => {
    const files = fashionFiles(6000, 1000);
    change(files);
    return writeFolder(folder.path, "data", files);
  };

  it("may be plain or compressed, and give the same pictures in a frame of zeros", async () => {
    const plain = await load(write());
    const packed = new Map(
      [...fashionFiles(6000, 1000)].map(([name, make]) => [
        `${name}.gz`,
        () => gzipSync(make(), { level: 1 }),
      ]),
    );
    const compressed = await load(writeFolder(folder.path, "packed", packed));
    expect(Buffer.compare(plain.train.pixels, compressed.train.pixels)).toBe(0);
    expect(labelledImages(plain.test).labels).toEqual(labelledImages(compressed.test).labels);
    const at = (n: number, h: number, w: number) => plain.train.pixels[(n * 32 + h) * 32 + w];
    for (const n of [0, 1, 5999]) {
      for (let h = 0; h < 32; h++) {
        for (let w = 0; w < 32; w++) {
          const inside = h >= 2 && h < 30 && w >= 2 && w < 30;
          expect(at(n, h, w)).toBe(inside ? sample(n, h - 2, w - 2, 0) : 0);
        }
      }
    }
  });

  it("names a file that is missing", async () => {
    const path = write();
    rmSync(join(path, "t10k-labels-idx1-ubyte"));
    expect(await refusalOf(load(path))).toMatch(/missing t10k-labels-idx1-ubyte/);
  });

  it("names a file that is short", async () => {
    const path = write();
    truncateSync(join(path, "train-images-idx3-ubyte"), 1000);
    expect(await refusalOf(load(path))).toMatch(
      /train-images-idx3-ubyte: expected 4704016 bytes, found 1000\. Get a new copy of the file/,
    );
  });

  it.each([
    [
      "a truncated gzip file",
      (b: Buffer) => gzipSync(b, { level: 1 }).subarray(0, 5000),
      /damaged gzip file/,
    ],
    ["a gzip file that is none", () => Buffer.from("<html>not found</html>"), /damaged gzip file/],
    ["a gzip file that is too long", (b: Buffer) => gzipSync(Buffer.concat([b, b])), /unpacks to more than/],
    [
      "a gzip file that is too short",
      (b: Buffer) => gzipSync(b.subarray(0, 99_999)),
      /expected .* bytes unpacked, found 99999/,
    ],
  ])("refuses %s", async (_, damage, message) => {
    const path = write((files) => {
      const make = files.get("train-images-idx3-ubyte")!;
      files.delete("train-images-idx3-ubyte");
      files.set("train-images-idx3-ubyte.gz", () => damage(make()));
    });
    const text = await refusalOf(load(path));
    expect(text).toContain("train-images-idx3-ubyte.gz");
    expect(text).toMatch(message);
  });

  it.each([
    [
      "labels where pictures belong",
      "train-images-idx3-ubyte",
      () => idxImages(6000, { magic: 0x0801 }),
      /starts with 0x00000801, expected 0x00000803/,
    ],
    [
      "pictures of another type",
      "t10k-images-idx3-ubyte",
      () => idxImages(1000, { magic: 0x0d03 }),
      /starts with 0x00000d03, expected 0x00000803/,
    ],
    [
      "a label that does not exist",
      "t10k-labels-idx1-ubyte",
      () => idxLabels(1000, { label: (n) => (n === 77 ? 10 : n % 10) }),
      /record 77 has label 10, expected 0 to 9/,
    ],
    [
      "classes of different size, as MNIST has them",
      "train-labels-idx1-ubyte",
      () => idxLabels(6000, { label: (n) => (n === 0 ? 1 : n % 10) }),
      /class 0 has 599 images, expected 600 in every class.*MNIST/,
    ],
  ])("refuses %s", async (_, name, make, message) => {
    const path = write((files) => files.set(name, make));
    const text = await refusalOf(load(path));
    expect(text).toContain(name);
    expect(text).toMatch(message);
  });

  it("refuses a header that lies about the count", async () => {
    const path = write();
    const lying = idxImages(1000);
    lying.writeUInt32BE(0xffffffff, 4);
    writeFileSync(join(path, "t10k-images-idx3-ubyte"), lying);
    expect(await refusalOf(load(path))).toMatch(/contains 4294967295 × 28 × 28, expected 1000 × 28 × 28/);
  });
});
