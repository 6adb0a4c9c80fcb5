import { createHash } from "node:crypto";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dataset, type ImageSet, labelledImages, testCount } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { datasetSha256, loadDataset } from "#main/datasets/datasets.ts";
import { CIFAR100_CLASSES } from "#main/datasets/readers/cifar-classes.ts";
import {
  cifarBinary,
  NO_NUMPY,
  planes,
  python,
  sample,
  tar,
  tarEntry,
  tarGz,
  temporaryFolder,
  writeFolder,
} from "#test/main/datasets/forms.ts";
import { python2Batch } from "#test/main/datasets/pickle/python2-pickle.ts";

const load = (format: string, path: string) => loadDataset({ name: "mine", format, path });
const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

/** Every pixel of some pictures, the first and last of each batch among them. */
const expectPixels = ({ pixels, count }: ImageSet) => {
  for (const n of [0, 1, 255, 256, 9_999, 10_000, 49_999].filter((i) => i < count)) {
    const expected = new Uint8Array(3072);
    for (let h = 0; h < 32; h++)
      for (let w = 0; w < 32; w++)
        for (let c = 0; c < 3; c++) expected[(h * 32 + w) * 3 + c] = sample(n % 256, h, w, c);
    expect(Buffer.compare(pixels.subarray(n * 3072, (n + 1) * 3072), expected)).toBe(0);
  }
};

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.dispose());

/** Reads the binary files with numpy: SHA-256 of (N, 32, 32, 3) pixels and of the labels, per split. */
const NUMPY = `import hashlib, sys, numpy as np
path, label_bytes, splits = sys.argv[1], int(sys.argv[2]), [s.split(",") for s in sys.argv[3:]]
for files in splits:
    x = np.concatenate([np.fromfile(f"{path}/{f}", np.uint8).reshape(-1, label_bytes + 3072) for f in files])
    pixels = x[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    print(hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest(), hashlib.sha256(x[:, label_bytes - 1].tobytes()).hexdigest())`;
const sha256 = (bytes: NodeJS.TypedArray) => createHash("sha256").update(bytes).digest("hex");
const digests = ({ train, test }: Dataset) =>
  [train, labelledImages(test)].map((s) => `${sha256(s.pixels)} ${sha256(s.labels)}`);

describe.each([
  [
    10,
    "cifar10",
    "data_batch_1.bin,data_batch_2.bin,data_batch_3.bin,data_batch_4.bin,data_batch_5.bin",
    "test_batch.bin",
  ],
  [100, "cifar100", "train.bin", "test.bin"],
] as const)("CIFAR-%i", (classes, name, trainFiles, testFiles) => {
  const binary = cifarBinary({ classes });
  let path: string;
  let data: Dataset;
  beforeAll(async () => {
    path = writeFolder(folder.path, binary.folder, binary.files);
    data = await load(`${name}-binary`, path);
  });

  it("comes out of its binary form as it went in", () => {
    expect([data.train.count, testCount(data.test), data.classes.length]).toEqual([50_000, 10_000, classes]);
    for (const set of [data.train, labelledImages(data.test)]) {
      expect([set.height, set.width, set.channels]).toEqual([32, 32, 3]);
      expectPixels(set);
      expect(set.labels.every((label, n) => label === n % classes)).toBe(true);
    }
  });

  it.skipIf(NO_NUMPY)("has numpy's pixel at every (n, h, w, c)", () => {
    const out = python(NUMPY, path, classes === 100 ? "2" : "1", trainFiles, testFiles);
    expect(digests(data)).toEqual(out.trim().split("\n"));
  });

  it("is the same from an archive", async () => {
    const archive = join(folder.path, `${name}.tar.gz`);
    writeFileSync(archive, tarGz(binary.folder, binary.files));
    expect(datasetSha256(await load(`${name}-binary`, archive))).toBe(datasetSha256(data));
  });

  it.skipIf(NO_NUMPY).each([2, 4])(
    "is the same from pickles that Python wrote, protocol %i, in an archive",
    async (protocol) => {
      const archive = join(folder.path, `${name}-python.tar.gz`);
      python(
        `import io, pickle, sys, tarfile, numpy as np
path, out, label_bytes, protocol = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with tarfile.open(out, "w:gz", compresslevel=1) as t:
    for f in ",".join(sys.argv[5:]).split(","):
        x = np.fromfile(f"{path}/{f}", np.uint8).reshape(-1, label_bytes + 3072)
        labels = [int(v) for v in x[:, label_bytes - 1]]
        d = {b"data": x[:, label_bytes:].copy(), b"filenames": [b"a.png"] * len(x), b"batch_label": b"b"}
        d.update({b"labels": labels} if label_bytes == 1 else {b"fine_labels": labels, b"coarse_labels": [v % 20 for v in labels]})
        raw = pickle.dumps(d, protocol)
        info = tarfile.TarInfo("cifar-python/" + f.replace(".bin", ""))
        info.size = len(raw)
        t.addfile(info, io.BytesIO(raw))`,
        path,
        archive,
        classes === 100 ? "2" : "1",
        String(protocol),
        trainFiles,
        testFiles,
      );
      expect(datasetSha256(await load(`${name}-python`, archive))).toBe(datasetSha256(data));
    },
  );
});

describe("CIFAR-10's python form as published (Python 2)", () => {
  it("reads, and a bad batch is named", async () => {
    const path = join(folder.path, "py2");
    const batch = (first: number, labels: number[]) =>
      python2Batch(labels, Buffer.concat(labels.map((_, i) => planes((first + i) % 256))));
    const labels = Array.from({ length: 10_000 }, (_, n) => n % 10);
    const files = new Map(
      [0, 1, 2, 3, 4].map((b) => [`data_batch_${b + 1}`, () => batch(b * 10_000, labels)]),
    );
    files.set("test_batch", () => batch(0, labels));
    writeFolder(folder.path, "py2", files);
    const data = await load("cifar10-python", path);
    expectPixels(data.train);
    expectPixels(labelledImages(data.test));

    const bad = [...labels];
    bad[5] = 10;
    writeFileSync(join(path, "data_batch_3"), batch(20_000, bad));
    expect(await refusalOf(load("cifar10-python", path))).toMatch(
      /data_batch_3: the pickle has 10 as entry 5 of labels, expected 0 to 9/,
    );

    const evil = Buffer.concat([Buffer.from("cposix\nsystem\n(S'touch x'\ntR."), Buffer.alloc(31e6)]);
    writeFileSync(join(path, "data_batch_3"), evil);
    expect(await refusalOf(load("cifar10-python", path))).toMatch(
      /data_batch_3: the pickle refers to posix\.system, which is not data: nothing was executed\. Get a new copy of the file/,
    );
  });
});

describe("a damaged CIFAR set", () => {
  const binary = cifarBinary({ classes: 10 });
  const write = (name: string) => writeFolder(folder.path, name, binary.files);

  it("is refused with the name of the missing, short or wrong file", async () => {
    const path = write("damaged");
    const third = join(path, "data_batch_3.bin");
    const whole = readFileSync(third);

    rmSync(third);
    expect(await refusalOf(load("cifar10-binary", path))).toMatch(/missing data_batch_3\.bin/);

    writeFileSync(third, whole);
    truncateSync(third, whole.length - 1);
    expect(await refusalOf(load("cifar10-binary", path))).toMatch(
      /data_batch_3\.bin: expected 30730000 bytes, found 30729999/,
    );

    const label = Buffer.from(whole);
    label[3073 * 17] = 200;
    writeFileSync(third, label);
    expect(await refusalOf(load("cifar10-binary", path))).toMatch(
      /data_batch_3\.bin: record 17 has label 200/,
    );

    label[3073 * 17] = 3; // was 7
    writeFileSync(third, label);
    expect(await refusalOf(load("cifar10-binary", path))).toMatch(
      /class 3 has 5001 images, expected 5000 in every class/,
    );
  });

  it("is refused if its archive is cut, has a file twice, or is no archive", async () => {
    const archive = join(folder.path, "cut.tar.gz");
    const small = new Map(
      [...binary.files.keys()].map((name, i) => [
        name,
        i === 0 ? binary.files.get(name)! : () => Buffer.alloc(10),
      ]),
    );
    const bytes = tarGz("cifar-10-batches-bin", binary.files);
    writeFileSync(archive, bytes.subarray(0, bytes.length >> 1));
    expect(await refusalOf(load("cifar10-binary", archive))).toMatch(
      /cut\.tar\.gz: damaged archive \(unexpected end of file\)/,
    );

    writeFileSync(archive, tarGz("cifar-10-batches-bin", small));
    expect(await refusalOf(load("cifar10-binary", archive))).toMatch(
      /data_batch_2\.bin: expected 30730000 bytes, found 10/,
    );

    const first = binary.files.get("data_batch_1.bin")!;
    writeFileSync(archive, tarGz("a", new Map([["data_batch_1.bin", first]])));
    expect(await refusalOf(load("cifar10-binary", archive))).toMatch(
      /missing data_batch_2\.bin, .*test_batch\.bin/,
    );

    const twice = tar(tarEntry("a/data_batch_1.bin", first()), tarEntry("b/data_batch_1.bin", first()));
    writeFileSync(archive, twice);
    expect(await refusalOf(load("cifar10-binary", archive))).toMatch(
      /b\/data_batch_1\.bin: occurs twice in the archive/,
    );

    writeFileSync(archive, gzipSync(Buffer.alloc(100_000, "not a tar archive ")));
    expect(await refusalOf(load("cifar10-binary", archive))).toMatch(/damaged archive/);

    expect(await refusalOf(load("cifar10-binary", join(folder.path, "nowhere")))).toMatch(/does not exist/);
    expect(await refusalOf(load("cifar11", archive))).toMatch(/format "cifar11" is unknown/);
  });
});

it("knows CIFAR-100's classes by label", () => {
  expect(CIFAR100_CLASSES.length).toBe(100);
  expect(CIFAR100_CLASSES).toEqual([...CIFAR100_CLASSES].sort());
  expect([CIFAR100_CLASSES[0], CIFAR100_CLASSES[19], CIFAR100_CLASSES[99]]).toEqual([
    "apple",
    "cattle",
    "worm",
  ]);
});
