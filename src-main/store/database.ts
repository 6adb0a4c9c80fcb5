import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "#contract/failure.ts";

/** A step from one version of the tables to the next. Once it has shipped it never changes. */
export interface Migration {
  readonly version: number;
  /** What it does, for the progress line. */
  readonly title: string;
  readonly sql: string;
}

/** "FFLT": tells the lab's database from any other SQLite file. */
const APPLICATION_ID = 0x46_46_4c_54;

const pragma = (db: DatabaseSync, name: string): number =>
  Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);

const SQLITE_FULL = 13;

/**
 * When a commit is safe from a power cut (a killed process never loses one): "at-once", or together with the next
 * commit that is, which syncs the whole log. The second does not wait for the disk.
 */
export type Durability = "at-once" | "with-the-next";

/**
 * Runs `work` in one write transaction: all of it or, if it throws, nothing. IMMEDIATE, because a transaction
 * that begins by reading fails at its first write when another connection wrote in between.
 * @throws UserError when the disk is full; whatever `work` throws.
 */
export const inTransaction = <T>(db: DatabaseSync, work: () => T, durability: Durability = "at-once"): T => {
  if (durability === "with-the-next") db.exec("PRAGMA synchronous = NORMAL");
  try {
    db.exec("BEGIN IMMEDIATE");
    const value = work();
    db.exec("COMMIT");
    return value;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    if (((error as { errcode?: number }).errcode ?? 0) === SQLITE_FULL) {
      throw new UserError(
        `${db.location()} could not be written: the disk is full. Free some space, then resume.`,
        {
          cause: error,
        },
      );
    }
    throw error;
  } finally {
    if (durability === "with-the-next") db.exec("PRAGMA synchronous = FULL");
  }
};

/**
 * Brings a database to the newest version, one transaction per step.
 * @throws UserError when the database is newer than the program or belongs to another one.
 */
const migrate = (
  db: DatabaseSync,
  migrations: readonly Migration[],
  onProgress: (message: string) => void = () => {},
): void => {
  migrations.forEach((m, i) => {
    if (m.version !== i + 1) throw new Error(`migration ${i + 1} is numbered ${m.version}`);
  });
  const version = pragma(db, "user_version");
  const id = pragma(db, "application_id");
  const isEmpty = pragma(db, "schema_version") === 0;
  if (id !== APPLICATION_ID && !isEmpty) {
    throw new UserError(
      `${db.location()} is a database of another program. Choose another directory with --data-dir.`,
    );
  }
  if (version > migrations.length) {
    throw new UserError(
      `${db.location()} was written by a newer Fedfleet (its tables have version ${version}, this program knows ` +
        `${migrations.length}). Update Fedfleet, or choose another directory with --data-dir.`,
    );
  }
  for (const m of migrations.slice(version)) {
    if (version > 0) onProgress(`updating the database to version ${m.version}: ${m.title}`);
    inTransaction(db, () => {
      db.exec(m.sql);
      db.exec(`PRAGMA user_version = ${m.version}; PRAGMA application_id = ${APPLICATION_ID}`);
    });
  }
};

/**
 * Opens the lab's database, creating it if need be. WAL lets readers go on while a round is recorded;
 * synchronous FULL makes a commit survive a power cut.
 * @throws UserError when the file is damaged, newer than the program or of another program.
 */
export const openDatabase = (
  path: string,
  migrations: readonly Migration[],
  onProgress?: (message: string) => void,
): DatabaseSync => {
  const existed = existsSync(path);
  const db = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(db, migrations, onProgress);
    return db;
  } catch (error) {
    db.close();
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    // 11 is SQLITE_CORRUPT, 26 SQLITE_NOTADB
    if (existed && (code === 11 || code === 26)) {
      throw new UserError(
        `${path} is not a readable database (${(error as Error).message}). ` +
          "Restore it from a copy, or choose another directory with --data-dir.",
        { cause: error },
      );
    }
    throw error;
  }
};
