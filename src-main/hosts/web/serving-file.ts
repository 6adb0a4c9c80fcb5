import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Left in the data directory by a process that serves it to browsers, for whoever finds the directory in use. */
export interface Serving {
  readonly pid: number;
  /** With its token: the file is for this user alone. */
  readonly url: string;
}

const FILE = "serving.json";

/** @returns what removes the file again. */
export const writeServing = (dataDir: string, serving: Serving): (() => void) => {
  const file = join(dataDir, FILE);
  rmSync(`${file}.new`, { force: true }); // an old one would keep its own mode
  writeFileSync(`${file}.new`, `${JSON.stringify(serving)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
};

/** Where the lab of this directory is served, if it is; a file that a killed process left behind does not count. */
export const readServing = (dataDir: string): Serving | undefined => {
  try {
    const serving = JSON.parse(readFileSync(join(dataDir, FILE), "utf8")) as Serving;
    process.kill(serving.pid, 0);
    return serving;
  } catch {
    return undefined;
  }
};
