import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { inTransaction, type Migration, openDatabase } from "#main/store/database.ts";
import { first } from "#main/store/migrations/0001-first.ts";
import { fleet } from "#main/store/migrations/0002-fleet.ts";
import { boards } from "#main/store/migrations/0003-boards.ts";
import { metrics } from "#main/store/migrations/0004-metrics.ts";
import { openStore } from "#main/store/store.ts";
import { temporaryFolder } from "./samples.ts";

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "fedfleet.db");
});
afterEach(() => folder.remove());

const one: Migration = { version: 1, title: "boxes", sql: "CREATE TABLE boxes (size INTEGER) STRICT" };
const two: Migration = {
  version: 2,
  title: "colours of boxes",
  sql: "ALTER TABLE boxes ADD COLUMN colour TEXT; UPDATE boxes SET colour = 'grey'",
};
const broken: Migration = {
  version: 2,
  title: "broken",
  sql: "ALTER TABLE boxes ADD COLUMN colour TEXT; INSERT INTO nowhere VALUES (1)",
};

test("the pragmas that survive a power cut are in force", () => {
  const db = openDatabase(path, [first]);
  const value = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0];
  expect(value("journal_mode")).toBe("wal");
  expect(value("synchronous")).toBe(2);
  expect(value("foreign_keys")).toBe(1);
  expect(value("user_version")).toBe(1);
  db.close();
});

test("steps that are missing are taken once, in order, and are heard of", () => {
  const heard: string[] = [];
  let db = openDatabase(path, [one], (m) => heard.push(m));
  db.exec("INSERT INTO boxes VALUES (3)");
  db.close();
  expect(heard).toEqual([]);
  for (let i = 0; i < 2; i++) {
    db = openDatabase(path, [one, two], (m) => heard.push(m));
    expect(db.prepare("SELECT * FROM boxes").all()).toEqual([{ size: 3, colour: "grey" }]);
    db.close();
  }
  expect(heard).toEqual(["updating the database to version 2: colours of boxes"]);
});

test("a step that fails changes nothing", () => {
  const db = openDatabase(path, [one]);
  db.close();
  expect(() => openDatabase(path, [one, broken])).toThrow(/nowhere/);
  const again = openDatabase(path, [one]);
  expect(again.prepare("SELECT name FROM pragma_table_info('boxes')").all()).toEqual([{ name: "size" }]);
  again.close();
});

test("steps that are misnumbered are a bug", () => {
  expect(() => openDatabase(path, [two])).toThrow("migration 1 is numbered 2");
});

test("a newer database is refused and left as it is", () => {
  openDatabase(path, [one, two]).close();
  expect(() => openDatabase(path, [one])).toThrow(UserError);
  expect(() => openDatabase(path, [one])).toThrow(
    /newer Fedfleet \(its tables have version 2, this program knows 1\)/,
  );
  openDatabase(path, [one, two]).close();
});

test("a lab of this version is refused by name where only three steps are known", () => {
  openStore({ dataDir: folder.path }).close();
  const before = readFileSync(path);
  expect(() => openDatabase(path, [first, fleet, boards])).toThrow(UserError);
  expect(() => openDatabase(path, [first, fleet, boards])).toThrow(
    `${path} was written by a newer Fedfleet (its tables have version 4, this program knows 3). ` +
      "Update Fedfleet, or choose another directory with --data-dir.",
  );
  expect(readFileSync(path)).toEqual(before);
  openStore({ dataDir: folder.path }).close();
});

test("rounds of a lab of version 3 keep their figures as metrics", () => {
  const db = openDatabase(path, [first, fleet, boards]);
  db.exec(`
    PRAGMA foreign_keys = OFF;
    INSERT INTO rounds (run_id, round, loss, accuracy, clients, failures, examples, weights_sha256, started_at, seconds)
    VALUES ('r', 0, 2.5, NULL, 0, 0, 0, 'a', 't', 1), ('r', 1, NULL, 0.5, 2, 1, 60, 'b', 't', 2);`);
  db.close();
  const updated = openDatabase(path, [first, fleet, boards, metrics]);
  expect(updated.prepare("SELECT * FROM round_metrics ORDER BY round, metric").all()).toEqual([
    { run_id: "r", round: 0, metric: "accuracy", value: null },
    { run_id: "r", round: 0, metric: "loss", value: 2.5 },
    { run_id: "r", round: 1, metric: "accuracy", value: 0.5 },
    { run_id: "r", round: 1, metric: "loss", value: null },
  ]);
  expect(updated.prepare("SELECT round, clients, failures, examples, seconds FROM rounds").all()).toEqual([
    { round: 0, clients: 0, failures: 0, examples: 0, seconds: 1 },
    { round: 1, clients: 2, failures: 1, examples: 60, seconds: 2 },
  ]);
  updated.prepare("DELETE FROM rounds WHERE round = 1").run();
  expect(updated.prepare("SELECT count(*) AS n FROM round_metrics").get()).toEqual({ n: 2 });
  updated.close();
});

test("another program's database is refused, and so is a file that is none", () => {
  const db = new DatabaseSync(path);
  db.exec("CREATE TABLE theirs (x)");
  db.close();
  expect(() => openDatabase(path, [one])).toThrow(/of another program/);
  const none = join(folder.path, "none.db");
  writeFileSync(
    none,
    "this is no database, however long the text may be that somebody wrote into it".repeat(20),
  );
  expect(() => openDatabase(none, [one])).toThrow(UserError);
  expect(() => openDatabase(none, [one])).toThrow(/none\.db is not a readable database/);
});

test("a transaction is all or nothing", () => {
  const db = openDatabase(path, [one]);
  expect(inTransaction(db, () => db.prepare("INSERT INTO boxes VALUES (1)").run().changes)).toBe(1);
  expect(() =>
    inTransaction(db, () => {
      db.exec("INSERT INTO boxes VALUES (2)");
      throw new Error("no more");
    }),
  ).toThrow("no more");
  expect(db.prepare("SELECT * FROM boxes").all()).toEqual([{ size: 1 }]);
  db.close();
});

test("a commit that need not wait for the disk leaves the next one waiting for it", () => {
  const db = openDatabase(path, [one]);
  const synchronous = () => Object.values(db.prepare("PRAGMA synchronous").get()!)[0];
  let within: unknown;
  inTransaction(
    db,
    () => {
      within = synchronous();
      db.exec("INSERT INTO boxes VALUES (1)");
    },
    "with-the-next",
  );
  expect([within, synchronous()]).toEqual([1, 2]);
  const fail = () => {
    throw new Error("no more");
  };
  expect(() => inTransaction(db, fail, "with-the-next")).toThrow("no more");
  expect(synchronous()).toBe(2);
  inTransaction(db, () => {
    within = synchronous();
  });
  expect(within).toBe(2);
  db.close();
});

test("a full disk is said so, and what was there stays", () => {
  const db = openDatabase(path, [one]);
  const pages = Number(Object.values(db.prepare("PRAGMA page_count").get()!)[0]);
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const fill = () =>
    inTransaction(db, () => {
      for (let i = 0; i < 10_000; i++) db.exec(`INSERT INTO boxes VALUES (${i})`);
    });
  expect(fill).toThrow(UserError);
  expect(fill).toThrow(/the disk is full/);
  expect(db.prepare("SELECT count(*) AS n FROM boxes").get()).toEqual({ n: 0 });
  db.close();
});

/** Every query that a page or the conductor asks again and again, and what it may walk through whole. */
test("no query that is asked often walks through a table that grows", () => {
  openStore({ dataDir: folder.path }).close();
  const db = new DatabaseSync(path);
  const walks = (sql: string) =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[])
      .map((row) => row.detail)
      .filter((detail) => /^SCAN|TEMP B-TREE/.test(detail));
  const often = [
    "SELECT round, seconds, clients, failures FROM rounds WHERE run_id = ? ORDER BY round",
    "SELECT round, metric, value FROM round_metrics WHERE run_id = ? ORDER BY round",
    "SELECT round, weights_sha256 FROM rounds WHERE run_id = ? ORDER BY round DESC LIMIT 1",
    "SELECT body FROM round_records WHERE run_id = ? AND round = ?",
    "SELECT body FROM client_updates WHERE run_id = ? AND round = ? AND seq = ?",
    "SELECT coalesce(max(seq) + 1, 0) AS seq FROM client_updates WHERE run_id = ? AND round = ?",
    "SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?",
    "SELECT * FROM events WHERE study_id = ? AND id > ? ORDER BY id LIMIT ?",
    "SELECT runs.*, (SELECT max(round) FROM rounds WHERE run_id = runs.id) FROM runs WHERE study_id = ?",
    "SELECT * FROM checkpoints WHERE run_id = ? ORDER BY round",
  ];
  for (const sql of often) expect([sql, walks(sql)]).toEqual([sql, []]);
  db.close();
});
