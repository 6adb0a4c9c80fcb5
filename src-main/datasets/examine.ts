import { basename, join } from "node:path";
import { UserError } from "#contract/failure.ts";
import { type Detected, detect } from "./detect.ts";
import { type Digest, digestFile } from "./digest.ts";
import type { Registered } from "./inspect.ts";
import type { KnownDataset } from "./known.ts";
import { refusal } from "./refusal.ts";

/** What a registration needs to know, so that another process can do it. */
export interface Examination {
  /** The folder or archive, absolute. */
  readonly path: string;
  /** @default the name of the data set that is found */
  readonly name?: string | undefined;
  /** The data sets that the lab knows: their names are taken. */
  readonly known: readonly Pick<KnownDataset, "name" | "title" | "formats">[];
}

/**
 * Finds out which data set is at a path, reads all of it and records the checksums of its files. This is the heavy
 * part of a registration: it unpacks, checks and digests hundreds of megabytes.
 *
 * @throws UserError if it is no known data set, incomplete, damaged, or cannot have the name
 */
export const examine = async ({ path, name: wanted, known }: Examination): Promise<Registered> => {
  const found = await detect(path);
  const name = wanted ?? found.format.dataset;
  const owner = known.find((entry) => entry.name === name);
  if (owner && !owner.formats.includes(found.format.name)) {
    throw new UserError(
      `dataset: ${path} is ${found.format.title}, so it cannot be called ${name}: that is ${owner.title}. Choose another name.`,
    );
  }
  return record(name, found);
};

const record = async (name: string, { format, source, files }: Detected): Promise<Registered> => {
  const paths = source.kind === "archive" ? [source.path] : files.map((file) => join(source.path, file));
  const digests = new Map<string, Digest>();
  for (const path of paths) digests.set(basename(path), await digestFile(path));
  await format.read(source);
  // the files that were read must be the files that were digested
  for (const path of paths) {
    const { sha256 } = await digestFile(path);
    if (sha256 !== digests.get(basename(path))!.sha256) {
      throw refusal(
        path,
        "changed while it was read",
        "Register it again when no other program writes to it",
      );
    }
  }
  const sha256s = Object.fromEntries([...digests].map(([file, { sha256 }]) => [file, sha256]));
  return { name, format: format.name, path: source.path, sha256s };
};
