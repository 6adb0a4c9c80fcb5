import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "#contract/failure.ts";

/** The process that holds a data directory, for people to read; the operating system keeps the lock itself. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

export interface DirectoryLock {
  release(): void;
}

const OWNER_FILE = "owner.json";
/** How long a new process waits for one that is just ending. */
const PATIENCE_MS = 500;

const readOwner = (dataDir: string): Owner | undefined => {
  try {
    return JSON.parse(readFileSync(join(dataDir, OWNER_FILE), "utf8")) as Owner;
  } catch {
    return undefined; // not written yet, or removed a moment ago
  }
};

const refusal = (dataDir: string): string => {
  const owner = readOwner(dataDir);
  const who = owner
    ? `process ${owner.pid}${owner.host === hostname() ? "" : ` on ${owner.host}`} (${owner.command}) since ${owner.since}`
    : "another Fedfleet process that is just starting";
  return (
    `The data directory ${dataDir} is in use by ${who}. ` +
    `Wait until it ends, stop it${owner && owner.host === hostname() ? ` (kill ${owner.pid})` : ""}, ` +
    "or choose another directory with --data-dir."
  );
};

/** The command line for others to read, without the values of options such as --join-token. */
export const publicCommand = (words: readonly string[]): string =>
  words
    .map((word, i) => {
      const secret = /^--?[\w-]*(token|secret|password)[\w-]*/i;
      const option = secret.exec(word)?.[0];
      if (option !== undefined) return word.length > option.length ? `${option}=…` : word;
      return secret.test(words[i - 1] ?? "") && !words[i - 1]!.includes("=") ? "…" : word;
    })
    .join(" ");

const errcodeOf = (error: unknown): number | undefined => (error as { errcode?: number }).errcode;

/**
 * Takes a data directory for this process alone. The lock is an exclusive SQLite transaction on an otherwise
 * empty lock.db: the operating system drops it when the process ends, however it ends, and no reused
 * process id can be mistaken for it. The owner's name is in a separate file, because this process would lose its POSIX
 * lock on lock.db if it opened and closed that file a second time.
 * @throws UserError (exit code 2) naming the process that holds the directory.
 */
export const lockDirectory = (dataDir: string): DirectoryLock => {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    db = new DatabaseSync(join(dataDir, "lock.db"), { timeout: PATIENCE_MS });
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    // 5 is SQLITE_BUSY; its extended forms share the low byte
    if (((errcodeOf(error) ?? 0) & 0xff) === 5) throw new UserError(refusal(dataDir), { cause: error });
    throw new UserError(
      `The data directory ${dataDir} cannot be used (${(error as Error).message}). ` +
        "Check that you may write there and that its disk supports file locks, or choose another with --data-dir.",
      { cause: error },
    );
  }
  const held = db;
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    command: publicCommand([process.argv0, ...process.argv.slice(1)]),
    since: new Date().toISOString(),
  };
  const file = join(dataDir, OWNER_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  const release = (): void => {
    process.removeListener("exit", release);
    if (!held.isOpen) return;
    rmSync(file, { force: true });
    held.close();
  };
  // Also what keeps the handle from the garbage collector, which would drop the lock of a store that is only held.
  process.on("exit", release);
  return { release };
};
