import { readdir, stat } from "node:fs/promises";
import path from "node:path";

/** Bytes of the largest file in a folder or below it: a program that downloads may write down a second copy. */
const largestFile = async (folder: string): Promise<number> => {
  const names = await readdir(folder, { recursive: true }).catch(() => []); // the download may end meanwhile
  const sizes = names.map(async (name) => {
    const info = await stat(path.join(folder, name)).catch(() => undefined);
    return info?.isFile() ? info.size : 0;
  });
  return Math.max(0, ...(await Promise.all(sizes)));
};

const TICK_MS = 2_000;

/**
 * Reports every two seconds how much of a download has arrived, until the download ends.
 *
 * @param download its result, or its failure, is passed on
 * @param folder where it writes, at any depth
 * @param onBytes receives the size of the largest file there, in bytes
 */
export const withTicks = async <T>(
  download: Promise<T>,
  folder: string,
  onBytes: (bytes: number) => void,
): Promise<T> => {
  let ended = false;
  const timer = setInterval(async () => {
    const bytes = await largestFile(folder);
    if (!ended) onBytes(bytes);
  }, TICK_MS);
  try {
    return await download;
  } finally {
    ended = true;
    clearInterval(timer);
  }
};
