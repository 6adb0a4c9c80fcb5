import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { inTransaction } from "./database.ts";

/** Rows deleted per transaction: more would block recording for too long. */
const ROWS = 2000;

/** Rounds deleted per transaction, each with the updates of its devices. */
const ROUNDS = 20;

const BEGUN = "the program ended while deleting this study: delete it again";

/** Deletes studies with their records and files. */
export const createForget = (db: DatabaseSync, dataDir: string) => {
  const runsOf = db.prepare("SELECT id FROM runs WHERE study_id = ?");
  const mark = db.prepare("UPDATE studies SET status = 'failed', reason = ? WHERE id = ?");
  const events = db.prepare(
    "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE study_id = ? ORDER BY id LIMIT ?)",
  );
  const lastRound = db.prepare(`
    SELECT max(round) AS round FROM (
      SELECT max(round) AS round FROM rounds WHERE run_id = :run
      UNION ALL SELECT max(round) FROM client_updates WHERE run_id = :run)`);
  const updates = db.prepare("DELETE FROM client_updates WHERE run_id = ? AND round >= ?");
  const rounds = db.prepare("DELETE FROM rounds WHERE run_id = ? AND round >= ?");
  const partitionOf = db.prepare("SELECT partition_sha256 AS sha256 FROM studies WHERE id = ?");
  const study = db.prepare("DELETE FROM studies WHERE id = ?");
  const unused = db.prepare(`
    DELETE FROM partitions WHERE sha256 = :sha256
      AND NOT EXISTS (SELECT 1 FROM studies WHERE partition_sha256 = :sha256)`);

  /**
   * In steps, so that other work never waits for long. A process that dies in between leaves a study that says so and
   * can only be deleted again.
   * @returns the runs that it had; undefined when there is no such study.
   */
  return async (id: string): Promise<readonly string[] | undefined> => {
    const partition = partitionOf.get(id) as { sha256: string | null } | undefined;
    if (partition === undefined) return undefined;
    const runs = (runsOf.all(id) as { id: string }[]).map((run) => run.id);
    inTransaction(db, () => mark.run(BEGUN, id));
    while (inTransaction(db, () => events.run(id, ROWS).changes, "with-the-next") > 0) await setImmediate();
    for (const run of runs) {
      const last = (lastRound.get({ run }) as { round: number | null }).round ?? -1;
      for (let round = last; round >= 0; round -= ROUNDS) {
        inTransaction(
          db,
          () => {
            const from = Math.max(0, round - ROUNDS + 1);
            updates.run(run, from);
            rounds.run(run, from);
          },
          "with-the-next",
        );
        await setImmediate();
      }
    }
    inTransaction(db, () => {
      study.run(id);
      unused.run({ sha256: partition.sha256 });
    });
    // Rows first, then files: a row always has its file.
    for (const owner of [id, ...runs]) {
      await rm(join(dataDir, "checkpoints", owner), { recursive: true, force: true });
    }
    return runs;
  };
};
