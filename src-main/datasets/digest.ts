import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Format } from "./readers/format.ts";
import { FETCH_AGAIN, refusal } from "./refusal.ts";

export interface Digest {
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  readonly md5: string;
}

/** "official": every file has its publisher's checksum. "structure": complete and well formed. */
export type Verified = "official" | "structure";

/**
 * Both checksums of a file in one pass: publishers give MD5, and SHA-256 notices tampering.
 *
 * @throws UserError if the file cannot be read
 */
export const digestFile = async (file: string): Promise<Digest> => {
  const sha256 = createHash("sha256");
  const md5 = createHash("md5");
  let size = 0;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      sha256.update(chunk as Buffer);
      md5.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw refusal(
      file,
      gone ? "is missing" : `cannot be read (${(error as Error).message})`,
      gone ? FETCH_AGAIN : "Check its permissions",
      error,
    );
  }
  return { size, sha256: sha256.digest("hex"), md5: md5.digest("hex") };
};

/** The files of `format` in a folder with these `names`: plain where there is a choice, as the readers choose. */
export const chosenFiles = (format: Format, names: ReadonlySet<string>): string[] =>
  format.members.map(({ name, gzip }) => (gzip && !names.has(name) ? `${name}.gz` : name));

/** Are these the publisher's files? `digests` by file name; an archive has just one. */
export const verifiedAs = (format: Format, digests: ReadonlyMap<string, Pick<Digest, "md5">>): Verified => {
  const official = [...digests].every(([name, { md5 }]) => {
    if (md5 === format.archiveMd5) return true;
    const member = format.members.find((m) => m.name === name.replace(/\.gz$/, ""));
    return member?.md5?.includes(md5) ?? false;
  });
  return official ? "official" : "structure";
};

/** A cheap sign that a file was not touched. The change time cannot be set back as the other times can. */
const fingerprint = async (
  file: string,
): Promise<{ text: string; changedMs: number; size: number } | undefined> => {
  const info = await stat(file, { bigint: true }).catch(() => undefined);
  if (!info) return undefined;
  return {
    text: `${info.size} ${info.ino} ${info.mtimeNs} ${info.ctimeNs}`,
    changedMs: Number(info.ctimeMs),
    size: Number(info.size),
  };
};

/** A cheap sign that a folder's files, or an archive, were not touched. Empty if there is nothing at `path`. */
export const stampOf = async (path: string): Promise<string> => {
  const own = await fingerprint(path);
  if (!own) return "";
  const names = (await readdir(path).catch(() => [] as string[])).sort();
  const files: string[] = [];
  for (const name of names) files.push(`${name} ${(await fingerprint(join(path, name)))?.text}`);
  return [own.text, ...files].join("\n");
};

/** A file that changed this shortly before it was digested may have changed again within one tick of the clock. */
const SETTLED_MS = 2_000;

/** The checksums of a file as it was with this fingerprint. */
export interface Remembered extends Pick<Digest, "sha256" | "md5"> {
  readonly fingerprint: string;
}

/**
 * The checksums of a file, which is read again only if it was touched since the last time.
 *
 * @throws UserError if the file cannot be read
 */
export const digestOnce = async (file: string, remembered: Map<string, Remembered>): Promise<Digest> => {
  const before = await fingerprint(file);
  const known = remembered.get(file);
  if (before && known?.fingerprint === before.text) {
    return { size: before.size, sha256: known.sha256, md5: known.md5 };
  }
  const startedAt = Date.now();
  const digest = await digestFile(file);
  if (before && before.changedMs < startedAt - SETTLED_MS) {
    remembered.set(file, { fingerprint: before.text, sha256: digest.sha256, md5: digest.md5 });
  } else remembered.delete(file);
  return digest;
};

/** The words of a refusal, by where the expected checksums come from. */
export interface Origin {
  readonly has: string;
  readonly differs: string;
  readonly next: string;
}

export const REGISTRATION: Origin = {
  has: "the registered data set had",
  differs: "changed since it was registered",
  next: FETCH_AGAIN,
};

export const MANIFEST: Origin = {
  has: "the bundled sample has",
  differs: "is not the file that came with the lab",
  next: "Restore the lab's resources folder, or reinstall the lab",
};

/**
 * Compares files with the SHA-256 that they should have. A file that had this SHA-256 before, and was not touched
 * since, counts as equal. The expected SHA-256 matters too: a file can be registered twice, before and after a change.
 *
 * @param path a folder, or the one file itself
 * @param sha256s hex, by file name
 * @param remembered from the last time; updated in place
 * @throws UserError that names the first file that is missing or changed
 */
export const compareFiles = async (
  path: string,
  sha256s: Readonly<Record<string, string>>,
  remembered: Map<string, Remembered>,
  origin: Origin,
): Promise<{ readonly bytes: number; readonly md5s: ReadonlyMap<string, string> }> => {
  let bytes = 0;
  const md5s = new Map<string, string>();
  for (const [name, expected] of Object.entries(sha256s)) {
    const file = basename(path) === name ? path : join(path, name);
    const before = await fingerprint(file);
    if (!before) throw refusal(file, `is missing; ${origin.has} it`, origin.next);
    bytes += before.size;
    const known = remembered.get(file);
    if (known?.fingerprint === before.text && known.sha256 === expected) {
      md5s.set(name, known.md5);
      continue;
    }
    const startedAt = Date.now();
    const digest = await digestFile(file);
    if (digest.sha256 !== expected) {
      throw refusal(
        file,
        `${origin.differs}: expected SHA-256 ${expected}, found ${digest.sha256} (${digest.size} bytes)`,
        origin.next,
      );
    }
    md5s.set(name, digest.md5);
    if (before.changedMs < startedAt - SETTLED_MS) {
      remembered.set(file, { fingerprint: before.text, sha256: digest.sha256, md5: digest.md5 });
    } else remembered.delete(file);
  }
  return { bytes, md5s };
};
