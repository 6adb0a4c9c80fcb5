import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Child, ForkChild } from "#contract/child.ts";
import { type DatasetLocation, labelledImages, testCount } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import { parseStudy, type StudyInput } from "#contract/study.ts";
import { createDataWorker, type DataWorker, type DataWorkerOptions } from "#main/datasets/data-worker.ts";
import { datasetSha256, loadDataset } from "#main/datasets/datasets.ts";
import { KNOWN } from "#main/datasets/known.ts";
import { encodePng } from "#main/datasets/png.ts";
import { sampleSheet } from "#main/datasets/sample-sheet.ts";
import { forkNode } from "#main/processes/fork-node.ts";
import { openStudy } from "#main/runs/open-study.ts";
import { fashionFiles, temporaryFolder, writeFolder } from "./forms.ts";

const entry = new URL("../../../src-main/processes/data-worker.ts", import.meta.url);
const SAMPLE = fileURLToPath(new URL("../../../resources/data/fashion-mnist-sample", import.meta.url));
const sample: DatasetLocation = {
  name: "fashion-mnist-sample",
  format: "fashion-mnist-sample-idx",
  path: SAMPLE,
};

let dataWorker: DataWorker | undefined;
const folders: ReturnType<typeof temporaryFolder>[] = [];
const folder = () => {
  const made = temporaryFolder();
  folders.push(made);
  return made.path;
};
const open = (options: Partial<DataWorkerOptions> = {}): DataWorker => {
  dataWorker = createDataWorker({ fork: forkNode, entry, ...options });
  return dataWorker;
};
afterEach(async () => {
  await dataWorker?.close();
  dataWorker = undefined;
  for (const made of folders.splice(0)) made.dispose();
});

const study = (input: Partial<StudyInput> = {}) => {
  const parsed = parseStudy({
    name: "desk",
    dataset: "fashion-mnist-sample",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { virtual: 5 },
    rounds: 1,
    optimizer: { lr: 0.1 },
    ...input,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.study;
};
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => expect.unreachable("was accepted"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

describe("the data worker", () => {
  it("starts no process before it has work, and reads labels as this process does", async () => {
    const { labels, pid } = open();
    expect(pid).toBeUndefined();
    const here = await loadDataset(sample);
    const there = await labels(sample);
    expect(dataWorker?.pid).not.toBe(process.pid);
    expect(Buffer.from(there.train).equals(Buffer.from(here.train.labels))).toBe(true);
    expect(Buffer.from(there.test).equals(Buffer.from(labelledImages(here.test).labels))).toBe(true);
    expect(there.classNames).toEqual(here.classes);
    expect(there.classes).toBe(10);
    expect(there.sha256).toBe(datasetSha256(here));
  });

  it("deals a study out as a study that is started, sample for sample", async () => {
    const { labels, deal } = open();
    const known = await labels(sample);
    for (const partition of [
      { kind: "iid" },
      { kind: "shards", shardsPerClient: 2 },
      { kind: "dirichlet", alpha: 0.5 },
      { kind: "class-skew", classes: 2 },
    ] as const) {
      const wanted = study({ partition, seed: 7 });
      const real = openStudy(wanted, known, sha256);
      if (!real.ok) throw new Error(JSON.stringify(real.problems));
      const dealt = await deal(wanted, sample);
      expect(dealt).toMatchObject({
        ok: true,
        samples: 6000,
        histogram: real.partition?.histogram,
        sha256: real.partition?.sha256,
      });
    }
  });

  it("gives the problems of a partition that cannot be", async () => {
    const dealt = await open().deal(study({ partition: { kind: "shards", shardsPerClient: 2000 } }), sample);
    expect(dealt.ok).toBe(false);
    if (!dealt.ok) expect(dealt.problems[0]?.path).toBe("partition.shardsPerClient");
  });

  it("reads again what was changed on disk, and refuses it as a person's problem", async () => {
    const copy = join(folder(), "sample");
    cpSync(SAMPLE, copy, { recursive: true });
    const location = { ...sample, path: copy };
    const { labels } = open();
    await labels(location);
    const before = dataWorker?.pid;
    writeFileSync(join(copy, "train-labels-idx1-ubyte.gz"), "no labels");
    expect(await refusalOf(labels(location))).toContain("train-labels-idx1-ubyte");
    // the process is none the worse for it
    expect(dataWorker?.pid).toBe(before);
    expect((await labels(sample)).classes).toBe(10);
  });

  it("examines a folder for its registration, and refuses names that are taken", async () => {
    const path = writeFolder(folder(), "fashion", fashionFiles(60_000, 10_000));
    const { examine } = open();
    const found = await examine({ path, name: "mine", known: KNOWN });
    expect(found).toMatchObject({ name: "mine", format: "fashion-mnist-idx", path });
    expect(Object.keys(found.sha256s)).toHaveLength(4);
    const refusal = await refusalOf(examine({ path, name: "cifar10", known: KNOWN }));
    expect(refusal).toContain("cannot be called cifar10");
  });

  it("starts a process that died once more, and gives up with its last words", async () => {
    const folderOf = folder();
    const file = join(folderOf, "dies.mjs");
    writeFileSync(file, 'process.on("message", () => { console.error("disk on fire"); process.exit(7); });');
    let forks = 0;
    const fork: ForkChild = (at, options) => {
      forks += 1;
      return forkNode(at, options);
    };
    const { labels } = open({ fork, entry: new URL(`file://${file}`) });
    const refusal = await refusalOf(labels(sample));
    expect(refusal).toContain("ended (exit code 7)");
    expect(refusal).toContain("disk on fire");
    expect(forks).toBe(2);
  });

  it("does a job again whose process was killed", async () => {
    const children: Child[] = [];
    const fork: ForkChild = (at, options) => {
      const child = forkNode(at, options);
      children.push(child);
      return child;
    };
    const { labels } = open({ fork });
    const waiting = labels(sample);
    children[0]?.kill();
    expect((await waiting).classes).toBe(10);
    expect(children).toHaveLength(2);
  });

  it("ends when it is idle, and works again when there is work", async () => {
    const { labels } = open({ idleMs: 200 });
    await labels(sample);
    const pid = dataWorker?.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 50 });
    expect((await labels(sample)).classes).toBe(10);
    expect(dataWorker?.pid).not.toBe(pid);
  });

  it("ends with the process that opened it, however that ends", async () => {
    const parent = spawn(process.execPath, [
      fileURLToPath(new URL("./doomed-data-worker-parent.ts", import.meta.url)),
    ]);
    const pid = Number(
      await new Promise<string>((resolve) => parent.stdout.once("data", (d) => resolve(`${d}`))),
    );
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 50 });
  });

  it("rejects what still waits when it is closed", async () => {
    const { labels, close } = open();
    const waiting = refusalOf(labels(sample));
    await close();
    expect(await waiting).toContain("closing");
    expect(await refusalOf(labels(sample))).toContain("closing");
  });
});

/** Pixels of a PNG that has one IDAT chunk and no filters. */
const decode = (png: Uint8Array) => {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(1, 4).toString("latin1")).toBe("PNG");
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const channels = bytes[25] === 2 ? 3 : 1;
  const length = bytes.readUInt32BE(33);
  expect(bytes.subarray(37, 41).toString("latin1")).toBe("IDAT");
  const lines = inflateSync(bytes.subarray(41, 41 + length));
  return {
    width,
    height,
    at: (x: number, y: number, c = 0) => lines[y * (width * channels + 1) + 1 + x * channels + c],
  };
};

describe("the sheet of pictures", () => {
  it("has each class in its row, in the order of the file", async () => {
    const sheet = await open().samples(sample, 6);
    const { train, test, classes } = await loadDataset(sample);
    expect(sheet).toMatchObject({
      train: train.count,
      test: testCount(test),
      classes,
      columns: 6,
      width: 32,
      height: 32,
    });
    expect(sheet.perClass).toEqual(new Array(10).fill(600));
    const { width, height, at } = decode(sheet.png);
    expect([width, height]).toEqual([6 * 32, 10 * 32]);
    const ofClass = (label: number, nth: number) => {
      let seen = -1;
      return train.labels.findIndex((l) => l === label && ++seen === nth);
    };
    for (const [label, nth] of [
      [0, 0],
      [3, 5],
      [9, 2],
    ] as const) {
      const picture = ofClass(label, nth);
      for (const [x, y] of [
        [0, 0],
        [16, 16],
        [9, 25],
      ] as const) {
        expect(at(nth * 32 + x, label * 32 + y)).toBe(train.pixels[(picture * 32 + y) * 32 + x]);
      }
    }
  });

  it("shows colours, and leaves the rest of a short row white", () => {
    const set = {
      count: 1,
      width: 1,
      height: 1,
      channels: 3 as const,
      pixels: Uint8Array.of(9, 8, 7),
      labels: Uint8Array.of(1),
    };
    const sheet = sampleSheet(
      {
        name: "x",
        classes: ["a", "b"],
        train: set,
        test: { kind: "labelled", images: set },
        mean: [0, 0, 0],
        std: [1, 1, 1],
      },
      2,
    );
    const { at } = decode(sheet.png);
    expect([at(0, 1, 0), at(0, 1, 1), at(0, 1, 2)]).toEqual([9, 8, 7]);
    expect([at(0, 0, 0), at(1, 0, 2), at(1, 1, 1)]).toEqual([255, 255, 255]);
    expect(sheet.perClass).toEqual([0, 1]);
  });

  it("is a file that others can read", () => {
    // the published bytes of a one-pixel grey picture: header and its checksum
    const png = encodePng({ width: 1, height: 1, channels: 1, pixels: Uint8Array.of(0) });
    expect(png.subarray(0, 33).toString("hex")).toBe(
      "89504e470d0a1a0a0000000d4948445200000001000000010800000000" + "3a7e9b55",
    );
    expect(png.subarray(-12).toString("hex")).toBe("0000000049454e44ae426082");
  });
});
