import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { Dataset, DatasetLocation, ImageSet } from "#contract/dataset.ts";
import { createDataWorker, type DataWorker } from "#main/datasets/data-worker.ts";
import { loadDataset } from "#main/datasets/datasets.ts";
import { folderPart, npyHeader, writePart } from "#main/datasets/part-files.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { temporaryFolder } from "./forms.ts";

const entry = new URL("../../../src-main/processes/data-worker.ts", import.meta.url);
const sample: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: fileURLToPath(new URL("../../../resources/data/fashion-mnist-sample", import.meta.url)),
};

let dataWorker: DataWorker | undefined;
const folders: ReturnType<typeof temporaryFolder>[] = [];
const folder = () => {
  const made = temporaryFolder();
  folders.push(made);
  return made.path;
};
afterEach(async () => {
  await dataWorker?.close();
  dataWorker = undefined;
  for (const made of folders.splice(0)) made.dispose();
});

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Pictures whose every byte tells where it comes from. */
const pictures = (count: number, channels: 1 | 3): ImageSet => {
  const size = 4 * 2 * channels;
  return {
    count,
    height: 4,
    width: 2,
    channels,
    pixels: Uint8Array.from(
      { length: count * size },
      (_, i) => (Math.floor(i / size) * 31 + (i % size)) % 251,
    ),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 7),
  };
};
const dataset = (channels: 1 | 3): Dataset => ({
  name: "tiny",
  classes: ["a", "b", "c", "d", "e", "f", "g"],
  train: pictures(100, channels),
  test: { kind: "labelled", images: pictures(20, channels) },
  mean: [0.1, 0.2, 0.3],
  std: [0.4, 0.5, 0.6],
});

/** What an independent reader makes of a .npy file: shape and bytes. */
const readNpy = (path: string) => {
  const file = readFileSync(path);
  expect(file.subarray(0, 8).toString("latin1")).toBe("\x93NUMPY\x01\x00");
  const data = 10 + file.readUInt16LE(8);
  expect(data % 64).toBe(0);
  const header = file.subarray(10, data).toString("latin1");
  expect(header.at(-1)).toBe("\n");
  const match = /^\{'descr': '\|u1', 'fortran_order': False, 'shape': \(([\d, ]+)\), \} *\n$/.exec(header);
  const shape = match![1]!.split(",").filter(Boolean).map(Number);
  return { shape, bytes: [...file.subarray(data)] };
};

describe.each([1, 3] as const)("a part with %i channels", (channels) => {
  it("holds the samples in the order of the part, each file under its digest", async () => {
    const dir = folder();
    const whole = dataset(channels);
    const train = [3, 99, 0, 42];
    const { json, files } = await writePart(whole, { train, test: [19] }, dir);
    const part = JSON.parse(json);
    expect(part).toEqual({
      version: 1,
      dataset: "tiny",
      classes: whole.classes,
      mean: whole.mean,
      std: whole.std,
      train: { images: expect.any(String), labels: expect.any(String) },
      test: { images: expect.any(String), labels: expect.any(String) },
    });
    expect(files).toHaveLength(4);
    for (const { sha256, bytes, path } of files) {
      expect(path).toBe(join(dir, `${sha256}.npy`));
      expect(digest(path)).toBe(sha256);
      expect(statSync(path).size).toBe(bytes);
    }
    const size = 8 * channels;
    expect(readNpy(join(dir, `${part.train.images}.npy`))).toEqual({
      shape: [4, 4, 2, channels],
      bytes: train.flatMap((i) => [...whole.train.pixels.subarray(i * size, (i + 1) * size)]),
    });
    expect(readNpy(join(dir, `${part.train.labels}.npy`))).toEqual({
      shape: [4],
      bytes: train.map((i) => i % 7),
    });
    expect(readNpy(join(dir, `${part.test.labels}.npy`))).toEqual({ shape: [1], bytes: [19 % 7] });
  });
});

it("labels take two bytes where the data set has more than 256 classes, and one as before where it has not", async () => {
  const dir = folder();
  const narrow = dataset(1);
  const wide: Dataset = {
    ...narrow,
    train: { ...narrow.train, labels: Uint16Array.from({ length: 100 }, (_, i) => 250 + i) },
  };
  const read = async (whole: Dataset) => {
    const { json } = await writePart(whole, { train: [5, 6], test: [0] }, dir);
    return readFileSync(join(dir, `${JSON.parse(json).train.labels}.npy`));
  };
  const [one, two] = [await read(narrow), await read(wide)];
  expect(one.toString("latin1")).toContain("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }");
  expect([...one.subarray(-2)]).toEqual([5, 6]);
  expect(two.toString("latin1")).toContain("{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }");
  expect([...two.subarray(-4)]).toEqual([255, 0, 0, 1]);
});

const noNumpy = spawnSync("/usr/bin/python3", ["-c", "import numpy"]).status !== 0;

it.skipIf(noNumpy && process.env.CI !== "true")("numpy reads what was written", async () => {
  const dir = folder();
  const { json } = await writePart(dataset(3), { train: [1, 2], test: [] }, dir);
  const part = JSON.parse(json);
  const script = `import json, numpy, sys
out = [numpy.load(f"{sys.argv[1]}/{name}.npy") for name in sys.argv[2:]]
print(json.dumps([[str(a.dtype), list(a.shape), int(a.sum())] for a in out]))`;
  const names = [part.train.images, part.train.labels, part.test.images, part.test.labels];
  const out = execFileSync("/usr/bin/python3", ["-c", script, dir, ...names], { encoding: "utf8" });
  const sum = (set: ImageSet) => set.pixels.subarray(24, 72).reduce((a, b) => a + b, 0);
  expect(JSON.parse(out)).toEqual([
    ["uint8", [2, 4, 2, 3], sum(dataset(3).train)],
    ["uint8", [2], 3],
    ["uint8", [0, 4, 2, 3], 0],
    ["uint8", [0], 0],
  ]);
});

it("is written once, is mended where it was cut short, and leaves no half file", async () => {
  const dir = folder();
  const samples = { train: [5, 6, 7], test: [1] };
  const first = await writePart(dataset(1), samples, dir);
  const inodes = first.files.map(({ path }) => statSync(path).ino);
  writeFileSync(first.files[0]!.path, "cut");
  const second = await writePart(dataset(1), samples, dir);
  expect(second).toEqual(first);
  expect(digest(first.files[0]!.path)).toBe(first.files[0]!.sha256);
  expect(second.files.slice(1).map(({ path }) => statSync(path).ino)).toEqual(inodes.slice(1));
  expect(readdirSync(dir).filter((name) => !name.endsWith(".npy"))).toEqual([]);
});

it("equal files are one; what was of no use for a week goes, other files stay", async () => {
  const dir = folder();
  const { files } = await writePart(dataset(1), { train: [0, 1], test: [0, 1] }, dir);
  expect(files).toHaveLength(2);
  writeFileSync(join(dir, "notes.txt"), "mine");
  const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  for (const name of readdirSync(dir)) utimesSync(join(dir, name), old, old);
  const next = await writePart(dataset(1), { train: [0, 1], test: [2] }, dir);
  expect(readdirSync(dir).sort()).toEqual(
    ["notes.txt", ...next.files.map(({ sha256 }) => `${sha256}.npy`)].sort(),
  );
});

it("names the sample that is not there", async () => {
  await expect(writePart(dataset(1), { train: [100], test: [] }, folder())).rejects.toThrow(
    "training sample 100 of 100",
  );
  expect(() => folderPart(dataset(1), { train: [], test: [-1] })).toThrow("test sample -1 of 20");
});

it("a header of any length begins the data at a multiple of 64", () => {
  for (const shape of [[0], [60_000, 32, 32, 3], [123_456_789], [1, 2, 3, 4]]) {
    const header = npyHeader(shape);
    expect(header.length % 64).toBe(0);
    expect(header.readUInt16LE(8)).toBe(header.length - 10);
  }
});

describe("the data worker", () => {
  it("writes parts beside other work, and names samples only for a device with a folder of its own", async () => {
    dataWorker = createDataWorker({ fork: forkNode, entry });
    const dir = join(folder(), "parts");
    const whole = await loadDataset(sample);
    const devices = [
      [0, 2, 4],
      [1, 3, 5],
    ].map((train) => ({ location: sample, train, test: [7], dir, folder: false }));
    const [a, b, labels] = await Promise.all([
      dataWorker.part(devices[0]!),
      dataWorker.part(devices[1]!),
      dataWorker.labels(sample),
    ]);
    expect(labels.train).toEqual(whole.train.labels);
    expect(a).toEqual(await writePart(whole, devices[0]!, folder()).then(inDir(dir)));
    expect(b).toEqual(await writePart(whole, devices[1]!, folder()).then(inDir(dir)));
    expect(await dataWorker.part({ ...devices[0]!, folder: true })).toEqual(folderPart(whole, devices[0]!));
  });

  it("says where there is no way to write", async () => {
    dataWorker = createDataWorker({ fork: forkNode, entry });
    const file = join(folder(), "a-file");
    writeFileSync(file, "");
    await expect(
      dataWorker.part({ location: sample, train: [0], test: [0], dir: join(file, "parts"), folder: false }),
    ).rejects.toThrow(/cannot be written to .*a-file/);
  });
});

/** The same part in another folder. */
const inDir =
  (dir: string) =>
  ({ json, files }: Awaited<ReturnType<typeof writePart>>) => ({
    json,
    files: files.map((file) => ({ ...file, path: join(dir, `${file.sha256}.npy`) })),
  });
