import { basename, join } from "node:path";
import { UserError } from "#contract/failure.ts";
import { type Detected, detect } from "./detect.ts";
import { type Digest, digestFile } from "./digest.ts";
import type { Registered } from "./inspect.ts";
import type { KnownDataset } from "./known.ts";
import { refusal } from "./refusal.ts";

/** What a registration reads: everything that is needed to do it in another process. */
export interface Examination {
  /** The folder or archive, absolute. */
  readonly path: string;
  /** Without one it gets its data set's own. */
  readonly name?: string | undefined;
  /** Names that are taken by data sets which the lab knows. */
  readonly known: readonly Pick<KnownDataset, "name" | "title" | "formats" | "bundled">[];
}

/**
 * Finds out what lies at a path, reads all of it and takes down what its files are. This is the heavy part of a
 * registration: hundreds of megabytes are unpacked, checked and digested.
 *
 * @throws UserError if it is no known data set, incomplete, damaged, or cannot have the name
 */
export const examine = async ({ path, name: wanted, known }: Examination): Promise<Registered> => {
  const found = await detect(path);
  const name = wanted ?? found.format.dataset;
  const owner = known.find((entry) => entry.name === name);
  if (owner && !owner.formats.includes(found.format.name)) {
    throw new UserError(
      `dataset: ${path} is ${found.format.title}, so it cannot be called ${name}, which is ${owner.title}. Choose another name.`,
    );
  }
  if (owner?.bundled) {
    throw new UserError(`dataset: ${name} comes with the lab. Choose another name.`);
  }
  return takeDown(name, found);
};

const takeDown = async (name: string, { format, source, files }: Detected): Promise<Registered> => {
  const paths = source.kind === "archive" ? [source.path] : files.map((file) => join(source.path, file));
  const digests = new Map<string, Digest>();
  for (const path of paths) digests.set(basename(path), await digestFile(path));
  await format.read(source);
  // what was read is what was digested
  for (const path of paths) {
    const { sha256 } = await digestFile(path);
    if (sha256 !== digests.get(basename(path))!.sha256) {
      throw refusal(path, "changed while it was read", "Register it again when nothing writes to it");
    }
  }
  const sha256s = Object.fromEntries([...digests].map(([file, { sha256 }]) => [file, sha256]));
  return { name, format: format.name, path: source.path, sha256s };
};
