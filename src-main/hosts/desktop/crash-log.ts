import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

const LARGEST = 1024 * 1024;
/** A page that keeps trying must not fill the disk. */
const MOST_REFUSALS = 200;

/** Writes what went wrong to standard error, and to a file: a desktop that was started by a click has no terminal. */
export const createCrashLog = (
  file: string,
  say: (line: string) => void = (line) => process.stderr.write(line),
) => {
  let refusals = 0;
  const write = (what: string, error?: unknown): void => {
    const told =
      error === undefined ? "" : `: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
    const line = `${new Date().toISOString()} ${what}${told}\n`;
    say(line);
    try {
      mkdirSync(dirname(file), { recursive: true });
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LARGEST) renameSync(file, `${file}.old`);
      appendFileSync(file, line);
    } catch {
      // It has been said on standard error.
    }
  };
  return {
    file,
    write,
    /** Something that the page tried and may not do. */
    refused(what: string): void {
      refusals += 1;
      if (refusals <= MOST_REFUSALS) write(`refused: ${what.slice(0, 500)}`);
      if (refusals === MOST_REFUSALS) write("refused: further refusals are not logged");
    },
  };
};

/**
 * Handles errors that nothing caught in the lab's own process. Its state can no longer be trusted, not even to close in
 * order, so it reports the error once and ends. The database keeps every finished round in any case.
 */
export const onUncaught = (emitter: Pick<NodeJS.Process, "on">, fatal: (error: unknown) => void): void => {
  let said = false;
  // An error while the first one is shown is usually its consequence.
  const once = (error: unknown): void => {
    if (said) return;
    said = true;
    fatal(error);
  };
  emitter.on("uncaughtException", once);
  emitter.on("unhandledRejection", once);
};
