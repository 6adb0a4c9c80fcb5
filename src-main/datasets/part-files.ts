import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { type ClassLabels, type Dataset, type ImageSet, labelledImages } from "#contract/dataset.ts";

/** A device's part of a data set: the text that describes it, and the files that the text names. */
export interface PartFiles {
  /** Its fields: device-scripts/README.md, "A part of a data set". */
  readonly json: string;
  /** `<sha256>.npy` in the given folder; none where the device has the data set itself. */
  readonly files: readonly { readonly sha256: string; readonly bytes: number; readonly path: string }[];
}

type PartFile = PartFiles["files"][number];

export interface PartSamples {
  /** Indices of samples, as a partition lists them. */
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** How much is collected, digested and written at a time. */
const PORTION_BYTES = 1 << 20;
/** Files that no part has named for this long are removed: they can be made again at any time. */
const UNUSED_MS = 7 * 24 * 3600 * 1000;

/** Element types of the files, as .npy writes them: one byte, or two with the low one first. */
type Descr = "|u1" | "<u2";

/** The header of a .npy file (format 1.0) in C order, padded so that the data begin at a multiple of 64. */
export const npyHeader = (shape: readonly number[], descr: Descr = "|u1"): Buffer => {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  return Buffer.concat([start, Buffer.from(`${dict.padEnd(length - 1)}\n`, "latin1")]);
};

/** Rows of `bytes`, each of `size` bytes, in portions. */
function* portions(bytes: Uint8Array, size: number, rows: readonly number[]): Generator<Uint8Array> {
  const perPortion = Math.max(1, Math.floor(PORTION_BYTES / size));
  const buffer = new Uint8Array(Math.min(perPortion, rows.length) * size);
  for (let from = 0; from < rows.length; from += perPortion) {
    const now = rows.slice(from, from + perPortion);
    for (const [i, row] of now.entries()) {
      buffer.set(bytes.subarray(row * size, (row + 1) * size), i * size);
    }
    yield buffer.subarray(0, now.length * size);
  }
}

/** Writes a file under the SHA-256 of its content. A file that exists already is not written again. */
const writeNamed = async (
  dir: string,
  header: Uint8Array,
  content: () => Iterable<Uint8Array>,
): Promise<PartFile> => {
  const hash = createHash("sha256").update(header);
  let bytes = header.length;
  for (const portion of content()) {
    hash.update(portion);
    bytes += portion.length;
  }
  const sha256 = hash.digest("hex");
  const path = join(dir, `${sha256}.npy`);
  const there = await stat(path).catch(() => undefined);
  if (there?.size === bytes) {
    await utimes(path, new Date(), new Date()).catch(() => {});
    return { sha256, bytes, path };
  }
  const temporary = join(dir, `.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(header);
      for (const portion of content()) await file.writeFile(portion);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return { sha256, bytes, path };
};

/** Removes what a process that died left half written, and what no part has used for a week. */
const tidy = async (dir: string, now: number): Promise<void> => {
  for (const name of await readdir(dir)) {
    if (!/^([0-9a-f]{64}\.npy|\..*\.tmp)$/.test(name)) continue;
    const info = await stat(join(dir, name)).catch(() => undefined);
    const lasts = name.endsWith(".tmp") ? 3600 * 1000 : UNUSED_MS;
    if (info !== undefined && now - info.mtimeMs > lasts) await rm(join(dir, name), { force: true });
  }
};

/** A file of labels: as wide as the data set's labels are. */
const writeLabels = (dir: string, labels: ClassLabels, indices: readonly number[]): Promise<PartFile> => {
  const width = labels.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength);
  const header = npyHeader([indices.length], width === 1 ? "|u1" : "<u2");
  return writeNamed(dir, header, () => portions(bytes, width, indices));
};

const checkIndices = (set: ImageSet, indices: readonly number[], what: string): void => {
  const wrong = indices.find((i) => !Number.isInteger(i) || i < 0 || i >= set.count);
  if (wrong !== undefined) throw new Error(`the part names ${what} sample ${wrong} of ${set.count}`);
};

const describe = (dataset: Dataset, rest: object): string =>
  JSON.stringify({
    version: 1,
    dataset: dataset.name,
    classes: dataset.classes,
    mean: dataset.mean,
    std: dataset.std,
    ...rest,
  });

/**
 * Writes a device's images (uint8, N × H × W × C) and labels (uint8, or uint16 where the data set has more than 256
 * classes, N) as .npy files into `dir`, each under its SHA-256: equal parts share one file, and a file that exists
 * already is not written again.
 * @throws UserError for a data set whose test images have no classes.
 */
export const writePart = async (
  dataset: Dataset,
  { train, test }: PartSamples,
  dir: string,
  now = Date.now(),
): Promise<PartFiles> => {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const files: PartFile[] = [];
  const writeSet = async (set: ImageSet, indices: readonly number[], what: string) => {
    checkIndices(set, indices, what);
    const { height, width, channels } = set;
    const n = indices.length;
    const images = await writeNamed(dir, npyHeader([n, height, width, channels]), () =>
      portions(set.pixels, height * width * channels, indices),
    );
    const labels = await writeLabels(dir, set.labels, indices);
    for (const file of [images, labels]) {
      if (!files.some(({ sha256 }) => sha256 === file.sha256)) files.push(file);
    }
    return { images: images.sha256, labels: labels.sha256 };
  };
  const json = describe(dataset, {
    train: await writeSet(dataset.train, train, "training"),
    test: await writeSet(labelledImages(dataset.test), test, "test"),
  });
  await tidy(dir, now);
  return { json, files };
};

/** The part of a device that has the whole data set in a folder of its own: only which samples it uses. */
export const folderPart = (dataset: Dataset, { train, test }: PartSamples): PartFiles => {
  checkIndices(dataset.train, train, "training");
  checkIndices(labelledImages(dataset.test), test, "test");
  return {
    json: describe(dataset, { folder: true, train: { indices: train }, test: { indices: test } }),
    files: [],
  };
};
