import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "#contract/failure.ts";

/** Files that are still being written end so; what a killed process left of them is removed at the next start. */
export const UNFINISHED_SUFFIX = ".unfinished";

/**
 * Bytes that are hashed and written before the event loop gets its turn again. SHA-256 takes 0.5 to 3 ms for
 * them, far below the 30 ms that the serving process may be late.
 */
export const PIECE_BYTES = 1 << 20;

/** `parts` cut into views of at most PIECE_BYTES, without a copy. */
export function* pieces(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
  }
}

/** Asks the disk to remember the names in a folder. Windows has no such call, and keeps names without it. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Makes a folder and sees to it that its name, too, survives a power cut. */
const makeFolderDurably = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first) return;
  }
};

const storageProblem = (error: unknown, path: string): unknown => {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new UserError(`${path} could not be written: the disk is full. Free some space, then resume.`, {
      cause: error,
    });
  }
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") {
    return new UserError(`${path} could not be written (${code}). Allow writing there, then resume.`, {
      cause: error,
    });
  }
  return error;
};

/**
 * Writes a file so that after a crash at any instant either the whole file or nothing carries its name:
 * written under another name, synced, renamed, folder synced. The parts must not change until the promise resolves.
 * @returns the SHA-256 (hex) and the size of what was written.
 * @throws UserError when the disk is full or may not be written.
 */
export const writeDurably = async (
  path: string,
  parts: Iterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> => {
  const folder = dirname(path);
  const unfinished = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}${UNFINISHED_SUFFIX}`);
  const hash = createHash("sha256");
  let bytes = 0;
  try {
    await makeFolderDurably(folder);
    const handle = await open(unfinished, "wx");
    try {
      for (const piece of pieces(parts)) {
        hash.update(piece);
        for (let at = 0; at < piece.byteLength; ) {
          at += (await handle.write(piece, at, piece.byteLength - at)).bytesWritten;
        }
        bytes += piece.byteLength;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw storageProblem(error, path);
  }
  return { sha256: hash.digest("hex"), bytes };
};
