import { constants, createReadStream } from "node:fs";
import { access, open, readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { createGunzip } from "node:zlib";
import { FETCH_AGAIN, refusal } from "./refusal.ts";
import { createTarReader, TarDamage } from "./tar.ts";

export interface SourceFile {
  /** Base name: folders inside an archive are not looked at. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** How many bytes a file may have; a file outside these limits is refused before it is read. */
export interface SizeLimit {
  readonly min: number;
  readonly max: number;
}

/** A folder of files, or an archive of them: readers see no difference. */
export interface Source {
  readonly path: string;
  readonly kind: "folder" | "archive";
  list(): Promise<readonly SourceFile[]>;
  /**
   * Hands over the wanted files, whole, one at a time, in the order in which they lie in the source, so that one
   * pass over an archive is enough and only one file is in memory.
   *
   * @throws UserError if a wanted file is missing, there twice, of the wrong size, or the archive is damaged
   */
  read(
    wanted: ReadonlyMap<string, SizeLimit>,
    take: (name: string, bytes: Buffer) => void | Promise<void>,
  ): Promise<void>;
}

/** The most that an archive may unpack to, in bytes: CIFAR-10 has 185 MB. A compressed bomb ends here. */
const MAX_UNPACKED = 2 ** 30;

const sizeProblem = (size: number, { min, max }: SizeLimit): string | undefined => {
  if (size >= min && size <= max) return undefined;
  return min === max
    ? `expected ${max} bytes, found ${size}`
    : `expected ${min} to ${max} bytes, found ${size}`;
};

const missing = (path: string, names: readonly string[]) =>
  refusal(
    path,
    `missing ${names.join(", ")}`,
    "Put the missing files there, or unpack the whole archive again",
  );

const openFolder = (path: string): Source => {
  const list = async () => {
    const files: SourceFile[] = [];
    for (const name of (await readdir(path)).sort()) {
      const info = await stat(join(path, name)).catch(() => undefined);
      if (info?.isFile()) files.push({ name, size: info.size });
    }
    return files;
  };
  return {
    path,
    kind: "folder",
    list,
    async read(wanted, take) {
      const present = new Map((await list()).map((file) => [file.name, file.size]));
      const absent = [...wanted.keys()].filter((name) => !present.has(name));
      if (absent.length > 0) throw missing(path, absent);
      for (const [name, limit] of wanted) {
        const file = join(path, name);
        const problem = sizeProblem(present.get(name)!, limit);
        if (problem) throw refusal(file, problem, FETCH_AGAIN);
        let bytes: Buffer;
        try {
          bytes = await readFile(file);
        } catch (error) {
          throw refusal(file, `cannot be read (${(error as Error).message})`, "Check its permissions", error);
        }
        // the file may have changed since it was listed
        const late = sizeProblem(bytes.length, limit);
        if (late) throw refusal(file, late, FETCH_AGAIN);
        await take(name, bytes);
      }
    },
  };
};

const isGzip = async (path: string): Promise<boolean> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
};

/** Feeds an archive, unpacked on the way, to a tar reader until it has seen enough. */
const walkArchive = async (path: string, reader: ReturnType<typeof createTarReader>): Promise<void> => {
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  const gunzip = (await isGzip(path)) ? createGunzip({ chunkSize: 1 << 20 }) : undefined;
  const stream = gunzip ? raw.pipe(gunzip) : raw;
  if (gunzip) raw.on("error", (error) => gunzip.destroy(error));
  let unpacked = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      unpacked += chunk.length;
      if (unpacked > MAX_UNPACKED) throw new TarDamage(`unpacks to more than ${MAX_UNPACKED} bytes`);
      reader.write(chunk);
      if (reader.done) return;
    }
    reader.end();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (error instanceof TarDamage || /^Z_|^ERR_/.test(code)) {
      throw refusal(path, `damaged archive (${(error as Error).message})`, FETCH_AGAIN, error);
    }
    if (/^E[A-Z]+$/.test(code)) {
      throw refusal(path, `cannot be read (${(error as Error).message})`, "Check its permissions", error);
    }
    throw error;
  } finally {
    raw.destroy();
    gunzip?.destroy();
  }
};

const openArchive = (path: string): Source => ({
  path,
  kind: "archive",
  async list() {
    const files: SourceFile[] = [];
    await walkArchive(
      path,
      createTarReader((entry) => {
        if (entry.kind === "file") files.push({ name: basename(entry.name), size: entry.size });
        return undefined;
      }),
    );
    return files;
  },
  async read(wanted, take) {
    const seen = new Set<string>();
    // the tar reader is synchronous; a reader that awaits gets its turn between two files
    const waiting: Promise<void>[] = [];
    await walkArchive(
      path,
      createTarReader((entry) => {
        const name = basename(entry.name);
        const limit = entry.kind === "file" ? wanted.get(name) : undefined;
        if (!limit) return undefined;
        const where = `${path}: ${entry.name}`;
        if (seen.has(name)) throw refusal(where, "is in the archive twice", FETCH_AGAIN);
        const problem = sizeProblem(entry.size, limit);
        if (problem) throw refusal(where, problem, FETCH_AGAIN);
        seen.add(name);
        return (bytes) => {
          const result = take(name, bytes);
          if (!result) return;
          result.catch(() => {}); // awaited below; until then it must not count as unhandled
          waiting.push(result);
        };
      }),
    );
    await Promise.all(waiting);
    const absent = [...wanted.keys()].filter((name) => !seen.has(name));
    if (absent.length > 0) throw missing(path, absent);
  },
});

/**
 * Opens a folder or a .tar.gz, .tgz or .tar archive.
 *
 * @throws UserError if there is nothing at `path`
 */
export const openSource = async (path: string): Promise<Source> => {
  let info: Awaited<ReturnType<typeof stat>>;
  try {
    info = await stat(path);
  } catch (error) {
    throw refusal(path, "nothing is there", "Check the path, or register the data set again", error);
  }
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw refusal(path, "cannot be read", "Check its permissions", error);
  }
  // a pipe or a device could keep a reader waiting for ever
  if (!info.isDirectory() && !info.isFile()) {
    throw refusal(path, "is neither a folder nor a file", "Name a folder or an archive");
  }
  return info.isDirectory() ? openFolder(path) : openArchive(path);
};
