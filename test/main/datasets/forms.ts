/** Writes data sets in the exact forms of their publishers, with pictures that a formula gives. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Registered } from "#main/datasets/inspect.ts";

export const PYTHON = "/usr/bin/python3";
/** Without it the comparisons with numpy are skipped; in CI they fail instead. */
export const NO_NUMPY =
  process.env.CI !== "true" && spawnSync(PYTHON, ["-c", "import numpy"]).status !== 0
    ? "numpy for /usr/bin/python3 is missing (test/setup/install.sh installs it)"
    : false;

/** Runs a Python program and returns its standard output. */
export const python = (program: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(PYTHON, ["-c", program, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
};

/** A folder that is removed when `dispose` runs. */
export const temporaryFolder = () => {
  const path = mkdtempSync(join(tmpdir(), "fedfleet-datasets-"));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
};

/** A registry in memory. */
export const memoryRegistry = () => {
  const entries = new Map<string, Registered>();
  return {
    list: () => [...entries.values()],
    save: (entry: Registered) => void entries.set(entry.name, entry),
    remove: (name: string) => entries.delete(name),
  };
};

/** The sample at row h, column w, channel c of picture n. */
export const sample = (n: number, h: number, w: number, c: number): number =>
  (n * 7 + h * 13 + w * 3 + c * 101) & 255;

/** 1024 red, 1024 green, 1024 blue samples, row by row. */
export const planes = (n: number): Buffer => {
  const out = Buffer.alloc(3072);
  for (let i = 0; i < 3072; i++) out[i] = sample(n, (i >> 5) & 31, i & 31, i >> 10);
  return out;
};

export interface CifarOptions {
  readonly classes: 10 | 100;
  /** Label of picture n (counted through the split). */
  readonly label?: (split: "train" | "test", n: number) => number;
}

const PERIOD = 256; // sample() repeats after 256 pictures

/** The files of the binary form by name; folder name first. */
export const cifarBinary = ({ classes, label = (_, n) => n % classes }: CifarOptions) => {
  const pictures = Array.from({ length: PERIOD }, (_, n) => planes(n));
  const head = classes === 100 ? 2 : 1;
  const batch = (split: "train" | "test", first: number, count: number): Buffer => {
    const out = Buffer.alloc(count * (head + 3072));
    for (let i = 0; i < count; i++) {
      const at = i * (head + 3072);
      if (head === 2) out[at] = label(split, first + i) % 20;
      out[at + head - 1] = label(split, first + i);
      pictures[(first + i) % PERIOD]!.copy(out, at + head);
    }
    return out;
  };
  const files = new Map<string, () => Buffer>();
  // made once, however many forms it is written in
  const once = (make: () => Buffer) => {
    let made: Buffer | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  if (classes === 10) {
    for (let i = 0; i < 5; i++)
      files.set(
        `data_batch_${i + 1}.bin`,
        once(() => batch("train", i * 10_000, 10_000)),
      );
    files.set(
      "test_batch.bin",
      once(() => batch("test", 0, 10_000)),
    );
  } else {
    files.set(
      "train.bin",
      once(() => batch("train", 0, 50_000)),
    );
    files.set(
      "test.bin",
      once(() => batch("test", 0, 10_000)),
    );
  }
  return { folder: classes === 10 ? "cifar-10-batches-bin" : "cifar-100-binary", files };
};

export const writeFolder = (
  parent: string,
  folder: string,
  files: ReadonlyMap<string, () => Buffer>,
): string => {
  const path = join(parent, folder);
  mkdirSync(path, { recursive: true });
  for (const [name, make] of files) writeFileSync(join(path, name), make());
  return path;
};

/** One ustar entry: header, content, padding. */
export const tarEntry = (
  name: string,
  content: Buffer,
  options: { type?: string; size?: number } = {},
): Buffer => {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(options.size ?? content.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(options.type ?? "0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((a, b) => a + b, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
};

export const tar = (...entries: Buffer[]): Buffer => Buffer.concat([...entries, Buffer.alloc(1024)]);

export const tarGz = (folder: string, files: ReadonlyMap<string, () => Buffer>): Buffer =>
  gzipSync(tar(...[...files].map(([name, make]) => tarEntry(`${folder}/${name}`, make()))), { level: 1 });

export const idxImages = (count: number, options: { magic?: number; side?: number } = {}): Buffer => {
  const { magic = 0x0803, side = 28 } = options;
  const out = Buffer.alloc(16 + count * side * side);
  out.writeUInt32BE(magic, 0);
  out.writeUInt32BE(count, 4);
  out.writeUInt32BE(side, 8);
  out.writeUInt32BE(side, 12);
  const picture = side * side;
  for (let n = 0; n < count; n++) {
    const at = 16 + n * picture;
    if (n >= PERIOD) out.copy(out, at, at - PERIOD * picture, at - (PERIOD - 1) * picture);
    else for (let i = 0; i < picture; i++) out[at + i] = sample(n, Math.floor(i / side), i % side, 0);
  }
  return out;
};

export const idxLabels = (
  count: number,
  options: { magic?: number; label?: (n: number) => number } = {},
): Buffer => {
  const { magic = 0x0801, label = (n: number) => n % 10 } = options;
  const out = Buffer.alloc(8 + count);
  out.writeUInt32BE(magic, 0);
  out.writeUInt32BE(count, 4);
  for (let n = 0; n < count; n++) out[8 + n] = label(n);
  return out;
};

export const fashionFiles = (train: number, test: number): Map<string, () => Buffer> =>
  new Map([
    ["train-images-idx3-ubyte", () => idxImages(train)],
    ["train-labels-idx1-ubyte", () => idxLabels(train)],
    ["t10k-images-idx3-ubyte", () => idxImages(test)],
    ["t10k-labels-idx1-ubyte", () => idxLabels(test)],
  ]);
