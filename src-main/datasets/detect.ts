import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { chosenFiles } from "./digest.ts";
import { openSource } from "./open-source.ts";
import type { Format } from "./readers/format.ts";
import { FORMATS } from "./readers/formats.ts";
import { refusal } from "./refusal.ts";
import type { Source } from "./source.ts";

export interface Detected {
  readonly format: Format;
  readonly source: Source;
  /** Names of the files that the format reads. */
  readonly files: readonly string[];
}

/** The bundled sample has Fashion-MNIST's file names and is never registered. */
const DETECTABLE = FORMATS.filter((format) => format.name !== "fashion-mnist-sample-idx");

/** How deep to search below the given folder; torchvision puts FashionMNIST/raw under its root. */
const MAX_DEPTH = 2;
const MAX_FOLDERS = 200;

const EXPECTED =
  "expected the files of CIFAR-10 or CIFAR-100 (binary or python form, a folder or a .tar.gz) or of Fashion-MNIST (idx, plain or .gz)";

const compare = async (source: Source) => {
  const names = new Set((await source.list()).map((file) => file.name));
  return DETECTABLE.map((format) => {
    const files = chosenFiles(format, names);
    return { format, files, absent: files.filter((name) => !names.has(name)) };
  });
};

const foldersBelow = async (path: string): Promise<string[]> => {
  const found: string[] = [];
  const look = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) return;
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      if (!entry.isDirectory() || found.length >= MAX_FOLDERS) continue;
      found.push(join(folder, entry.name));
      await look(join(folder, entry.name), depth + 1);
    }
  };
  await look(path, 1);
  return found.sort();
};

/**
 * Finds out which known format is at `path`: a folder (or one of those below it) or an archive.
 *
 * @throws UserError if there is none, more than one, or an incomplete one, whose missing files it names
 */
export const detect = async (path: string): Promise<Detected> => {
  const source = await openSource(path);
  const places = [source];
  if (source.kind === "folder") {
    for (const folder of await foldersBelow(path)) places.push(await openSource(folder));
  }
  const whole: Detected[] = [];
  let closest: { present: number; title: string; absent: readonly string[]; path: string } | undefined;
  for (const place of places) {
    for (const { format, files, absent } of await compare(place)) {
      const present = files.length - absent.length;
      if (absent.length === 0) whole.push({ format, source: place, files });
      else if (present > (closest?.present ?? 0)) {
        closest = { present, title: `${format.title}, format ${format.name}`, absent, path: place.path };
      }
    }
    // the folder that was named goes before those below it
    if (whole.length > 0 && place === source) break;
  }
  const [only, ...others] = whole;
  if (only && others.length === 0) return only;
  if (only) {
    const list = whole.map(({ format, source: at }) => `${format.name} in ${at.path}`).join(", ");
    throw refusal(path, `contains more than one data set: ${list}`, "Register one of these folders");
  }
  if (closest) {
    throw refusal(
      closest.path,
      `looks like ${closest.title}, but ${closest.absent.join(", ")} ${closest.absent.length > 1 ? "are" : "is"} missing`,
      "Put the missing files there, or unpack the whole archive again",
    );
  }
  throw source.kind === "folder"
    ? refusal(
        path,
        `contains no known data set, nor do its folders (searched ${MAX_DEPTH} levels deep); ${EXPECTED}`,
        "Choose the folder or the archive with these files",
      )
    : refusal(path, `contains no known data set; ${EXPECTED}`, "Choose another file");
};
