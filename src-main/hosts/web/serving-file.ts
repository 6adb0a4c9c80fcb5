import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A process that serves the lab leaves this in the data directory: it tells others where the lab is open. */
export interface Serving {
  readonly pid: number;
  /** With its token: only this user can read the file. */
  readonly url: string;
}

const FILE = "serving.json";

/** @returns a function that removes the file. */
export const writeServing = (dataDir: string, serving: Serving): (() => void) => {
  const file = join(dataDir, FILE);
  rmSync(`${file}.new`, { force: true }); // an old one would keep its mode
  writeFileSync(`${file}.new`, `${JSON.stringify(serving)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
};

/** Where this directory's lab is served, if it is. A file that a killed process left behind does not count. */
export const readServing = (dataDir: string): Serving | undefined => {
  try {
    const serving = JSON.parse(readFileSync(join(dataDir, FILE), "utf8")) as Serving;
    process.kill(serving.pid, 0);
    return serving;
  } catch {
    return undefined;
  }
};
