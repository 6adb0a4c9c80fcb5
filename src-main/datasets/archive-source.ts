import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { FETCH_AGAIN, refusal } from "./refusal.ts";
import { missingFiles, type Source, type SourceFile, sizeProblem, unreadable } from "./source.ts";
import { readTar, type TakeContent, TarDamage, type TarEntry } from "./tar-archive.ts";

/** The most that an archive may unpack to, in bytes; CIFAR-10 has 185 MB. A compressed bomb is refused here. */
const MAX_UNPACKED = 2 ** 30;
const CHUNK_BYTES = 1 << 20;

const isGzip = async (path: string): Promise<boolean> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
};

/** The bytes of an archive, unpacked on the way where it is compressed. */
async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const gunzip = (await isGzip(path)) ? createGunzip({ chunkSize: CHUNK_BYTES }) : undefined;
  const raw = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (gunzip) raw.on("error", (error) => gunzip.destroy(error));
  try {
    yield* (gunzip ? raw.pipe(gunzip) : raw) as AsyncIterable<Buffer>;
  } finally {
    raw.destroy();
    gunzip?.destroy();
  }
}

/** @throws UserError that names the archive if it is damaged or cannot be read */
const walkArchive = async (
  path: string,
  onEntry: (entry: TarEntry) => TakeContent | undefined,
): Promise<void> => {
  try {
    await readTar(unpacked(path), MAX_UNPACKED, onEntry);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (error instanceof TarDamage || /^Z_|^ERR_/.test(code)) {
      throw refusal(path, `damaged archive (${(error as Error).message})`, FETCH_AGAIN, error);
    }
    if (/^E[A-Z]+$/.test(code)) throw unreadable(path, error);
    throw error;
  }
};

/** A .tar archive, plain or compressed with gzip. */
export const openArchive = (path: string): Source => ({
  path,
  kind: "archive",
  async list() {
    const files: SourceFile[] = [];
    await walkArchive(path, ({ name, kind, size }) => {
      if (kind === "file") files.push({ name: basename(name), size });
      return undefined;
    });
    return files;
  },
  async read(wanted, take) {
    const seen = new Set<string>();
    await walkArchive(path, (entry) => {
      const name = basename(entry.name);
      const limit = entry.kind === "file" ? wanted.get(name) : undefined;
      if (!limit) return undefined;
      const where = `${path}: ${entry.name}`;
      if (seen.has(name)) throw refusal(where, "occurs twice in the archive", FETCH_AGAIN);
      const problem = sizeProblem(entry.size, limit);
      if (problem) throw refusal(where, problem, FETCH_AGAIN);
      seen.add(name);
      return (content) => take(name, content);
    });
    const absent = [...wanted.keys()].filter((name) => !seen.has(name));
    if (absent.length > 0) throw missingFiles(path, absent);
  },
});
