import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FETCH_AGAIN, refusal } from "./refusal.ts";
import { missingFiles, type SizeLimit, type Source, sizeProblem, unreadable } from "./source.ts";

const readWithin = async (file: string, size: number, limit: SizeLimit): Promise<Buffer> => {
  const problem = sizeProblem(size, limit);
  if (problem) throw refusal(file, problem, FETCH_AGAIN);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  // the file may have changed since it was listed
  const late = sizeProblem(bytes.length, limit);
  if (late) throw refusal(file, late, FETCH_AGAIN);
  return bytes;
};

export const openFolder = (path: string): Source => {
  const list = async () => {
    const files: { name: string; size: number }[] = [];
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
      const sizes = new Map((await list()).map((file) => [file.name, file.size]));
      const absent = [...wanted.keys()].filter((name) => !sizes.has(name));
      if (absent.length > 0) throw missingFiles(path, absent);
      for (const [name, limit] of wanted) {
        await take(name, await readWithin(join(path, name), sizes.get(name)!, limit));
      }
    },
  };
};
