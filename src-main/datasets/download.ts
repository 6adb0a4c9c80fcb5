import { mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "#contract/failure.ts";
import { digestFile } from "./digest.ts";
import { httpGet } from "./http-get.ts";

export interface FileProgress {
  readonly file: string;
  /** Bytes on disk, including those of an earlier attempt. */
  readonly bytes: number;
  /** Bytes of the whole file, where it is known. */
  readonly total: number | undefined;
  /** Where the bytes come from. */
  readonly from: string;
}

export interface DownloadOptions {
  /** The same file on several servers, tried in this order. */
  readonly urls: readonly string[];
  /** Where the file goes. Until it is complete and verified it is called `<target>.part`. */
  readonly target: string;
  readonly md5: string;
  /** Expected size, to check the free disk space beforehand. */
  readonly bytes: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Attempts in a row without progress, after which the next server is tried. @default 3 */
  readonly attempts?: number | undefined;
  /** Wait before another attempt, in milliseconds; doubles each time. @default 1000 */
  readonly retryMs?: number | undefined;
  /** A connection that brings nothing for this long counts as lost, in milliseconds. @default 30000 */
  readonly stallMs?: number | undefined;
}

/** Bytes above the expected size, after which a server that never stops sending is cut off. */
const MAX_EXCESS = 1 << 20;

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;

/** This server does not have the file: no other attempt there. */
class Gone extends Error {}

/** Where in the file the body of a response begins, or what else the response means. */
const bodyStart = (
  status: number,
  range: string | undefined,
  have: number,
): number | "complete" | "restart" => {
  if (status === 200) return 0; // the server does not support ranges: it starts at the beginning
  if (status === 206) {
    const [, start] = /^bytes (\d+)-/.exec(range ?? "") ?? [];
    return Number(start) === have ? have : "restart";
  }
  if (status === 416) return range === `bytes */${have}` ? "complete" : "restart";
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) throw new Gone(`status ${status}`);
  throw new Error(`status ${status}`);
};

/** One connection: appends to the .part file. Returns normally only if the body ended as announced. */
const fetchOnce = async (
  url: string,
  part: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { onProgress, stallMs = 30_000 } = options;
  const have = await sizeOf(part);
  const headers = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await httpGet(url, { headers, signal, stallMs });
  try {
    const start = bodyStart(response.statusCode ?? 0, response.headers["content-range"], have);
    if (start === "complete") return;
    if (start === "restart") {
      await rm(part, { force: true });
      throw new Error("the server does not continue where the last attempt ended");
    }
    const length = response.headers["content-length"];
    const total = length === undefined ? undefined : start + Number(length);
    const limit = options.bytes + MAX_EXCESS;
    if (total !== undefined && total > limit)
      throw new Gone(`offers ${total} bytes, expected ${options.bytes}`);
    const file = await open(part, start === 0 ? "w" : "a");
    try {
      let bytes = start;
      const report = () => onProgress?.({ file: basename(options.target), bytes, total, from: url });
      report();
      for await (const chunk of response as AsyncIterable<Buffer>) {
        await file.writeFile(chunk);
        bytes += chunk.length;
        if (bytes > limit) throw new Gone(`sends more than the expected ${options.bytes} bytes`);
        report();
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    response.destroy();
  }
};

/** Downloads from one server until the file is complete, or until `attempts` in a row made no progress. */
const fetchFrom = async (
  url: string,
  part: string,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> => {
  const { attempts = 3, retryMs = 1_000 } = options;
  for (let fruitless = 0; ; ) {
    const before = await sizeOf(part);
    try {
      return await fetchOnce(url, part, options, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Gone) throw error;
      fruitless = (await sizeOf(part)) > before ? 0 : fruitless + 1;
      if (fruitless >= attempts) throw error;
      await sleep(retryMs * 2 ** fruitless, undefined, { signal });
    }
  }
};

const checkSpace = async (folder: string, needed: number): Promise<void> => {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= needed) return;
  const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new UserError(
    `dataset: ${folder}: the download needs ${mb(needed)}, but only ${mb(bavail * bsize)} are free. Free some space, or choose another --data-dir.`,
  );
};

/** Makes the rename itself survive a power cut. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {}); // not every file system can
  await handle?.close();
};

/**
 * Downloads one file. An interrupted download continues where it ended, also after a restart of the program. A file
 * with a wrong checksum is kept as `<target>.wrong-N`, and the next server is tried.
 *
 * @throws UserError if no server has the right file, or the signal was aborted
 */
export const downloadFile = async (options: DownloadOptions): Promise<void> => {
  const { target, urls, md5 } = options;
  const part = `${target}.part`;
  const folder = dirname(target);
  const signal = options.signal ?? new AbortController().signal;
  const name = basename(target);
  await mkdir(folder, { recursive: true });
  await checkSpace(folder, Math.max(0, options.bytes - (await sizeOf(part))));

  const problems: string[] = [];
  for (const url of urls) {
    try {
      // a second try from the beginning: an old .part may be the beginning of another file
      for (const resumed of (await sizeOf(part)) > 0 ? [true, false] : [false]) {
        await fetchFrom(url, part, options, signal);
        const { md5: found, size } = await digestFile(part);
        if (found === md5) {
          await rename(part, target);
          await syncFolder(folder);
          return;
        }
        let aside = `${target}.wrong-1`;
        for (let n = 2; await sizeOf(aside); n++) aside = `${target}.wrong-${n}`;
        await rename(part, aside);
        problems.push(
          `${url}${resumed ? " (resumed)" : ""}: wrong checksum, expected MD5 ${md5}, found ${found} (${size} bytes, kept as ${aside})`,
        );
      }
    } catch (error) {
      if (signal.aborted) {
        throw new UserError(
          `dataset: ${name}: the download was stopped; ${await sizeOf(part)} bytes are kept. Start it again to continue from there.`,
          { exitCode: 130, cause: error },
        );
      }
      problems.push(`${url}: ${describe(error)}`);
    }
  }
  throw new UserError(
    `dataset: ${name} could not be downloaded:\n  ${problems.join("\n  ")}\nTry again later, or download it on another computer, copy it here and register it.`,
    { exitCode: 1 },
  );
};

const describe = (error: unknown): string => {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || String(error);
};
