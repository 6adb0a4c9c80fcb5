/**
 * Makes resources/data/fashion-mnist-sample from the whole Fashion-MNIST (Debian's package
 * dataset-fashion-mnist): the first 600 training and the first 100 test pictures of every class, in their
 * original order. Balanced, and the same bytes on every computer with the same zlib.
 *
 *   node test/setup/make-fashion-sample.ts [SOURCE FOLDER]
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

const SIDE = 28;
const CLASSES = 10;
const source = process.argv[2] ?? "/usr/share/datasets/fashion-mnist";
const target = join(import.meta.dirname, "../../resources/data/fashion-mnist-sample");

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const idx = (magic: number, dims: number[], body: Buffer): Buffer => {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt32BE(magic, 0);
  dims.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([header, body]);
};

const files: { name: string; bytes: number; sha256: string; unpackedSha256: string }[] = [];
const write = (name: string, content: Buffer) => {
  const packed = gzipSync(content, { level: 9 });
  packed[9] = 3; // the header's "operating system" byte, which zlib fills in by platform
  writeFileSync(join(target, name), packed);
  files.push({ name, bytes: packed.length, sha256: sha256(packed), unpackedSha256: sha256(content) });
};

mkdirSync(target, { recursive: true });
for (const [prefix, perClass] of [
  ["train", 600],
  ["t10k", 100],
] as const) {
  const images = gunzipSync(readFileSync(join(source, `${prefix}-images-idx3-ubyte.gz`))).subarray(16);
  const labels = gunzipSync(readFileSync(join(source, `${prefix}-labels-idx1-ubyte.gz`))).subarray(8);
  const counts = new Array<number>(CLASSES).fill(0);
  const chosen: number[] = [];
  labels.forEach((label, i) => {
    if (counts[label]! >= perClass) return;
    counts[label] = counts[label]! + 1;
    chosen.push(i);
  });
  if (chosen.length !== perClass * CLASSES)
    throw new Error(`${prefix}: only ${chosen.length} pictures chosen`);
  const picture = SIDE * SIDE;
  const pixels = Buffer.concat(chosen.map((i) => images.subarray(i * picture, (i + 1) * picture)));
  write(`${prefix}-images-idx3-ubyte.gz`, idx(0x0803, [chosen.length, SIDE, SIDE], pixels));
  write(
    `${prefix}-labels-idx1-ubyte.gz`,
    idx(0x0801, [chosen.length], Buffer.from(chosen.map((i) => labels[i]!))),
  );
}
const manifest = {
  name: "fashion-mnist-sample",
  title: "Fashion-MNIST, 600 training and 100 test pictures of each of its 10 classes",
  source: "https://github.com/zalandoresearch/fashion-mnist",
  licence: "MIT",
  madeBy: "test/setup/make-fashion-sample.ts",
  files,
};
writeFileSync(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
