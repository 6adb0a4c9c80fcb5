import { readdirSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { UserError } from "#contract/failure.ts";
import { gainOf, type Metric } from "#contract/metrics.ts";
import type { NamedTensor } from "#contract/tensor.ts";
import { inTransaction } from "./database.ts";
import { UNFINISHED_SUFFIX } from "./durable-files.ts";
import { readSafetensorsFile, writeSafetensors } from "./safetensors.ts";

export interface CheckpointRecord {
  readonly run: string;
  readonly round: number;
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 (hex) of the file. */
  readonly sha256: string;
}

type CheckpointRow = { run_id: string; round: number; path: string; bytes: number; sha256: string };

const FOLDER = "checkpoints";
const FILE_NAME = /^round-\d+\.safetensors$/;

/** Metrics in the order in which they decide which round was the best. */
type BestBy = readonly Pick<Metric, "id" | "better">[];

/** Below 0 where `a` is better; unknown values come last. */
const compareRounds = (
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
  order: BestBy,
): number => {
  for (const metric of order) {
    const [one, other] = [a.get(metric.id), b.get(metric.id)];
    if (one === undefined && other === undefined) continue;
    if (one === undefined) return 1;
    if (other === undefined) return -1;
    const gain = gainOf(metric, one, other);
    if (gain !== 0) return -gain;
  }
  return 0;
};

export type CheckpointTable = ReturnType<typeof createCheckpointTable>;

/** Weights and server state per round, as safetensors files below `${dataDir}/checkpoints`. */
export const createCheckpointTable = (db: DatabaseSync, dataDir: string) => {
  /** Written, but not on record yet. */
  const pending = new Map<string, CheckpointRecord>();
  const insert = db.prepare("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)");
  const one = db.prepare("SELECT * FROM checkpoints WHERE run_id = ? AND round = ?");
  const byPath = db.prepare(`
    SELECT run_id, round, path, sha256 FROM checkpoints WHERE path = :path
    UNION ALL SELECT study_id, round, path, sha256 FROM study_checkpoints WHERE path = :path`);
  const ofRun = db.prepare("SELECT * FROM checkpoints WHERE run_id = ? ORDER BY round");
  const allPaths = db.prepare("SELECT path FROM checkpoints UNION ALL SELECT path FROM study_checkpoints");
  const ofStudy = db.prepare(
    "SELECT study_id AS run_id, round, path, bytes, sha256 FROM study_checkpoints WHERE study_id = ? AND round = ?",
  );
  const insertOfStudy = db.prepare("INSERT INTO study_checkpoints VALUES (?, ?, ?, ?, ?, ?)");
  const isStudy = db.prepare("SELECT 1 FROM studies WHERE id = ?");
  const remove = db.prepare("DELETE FROM checkpoints WHERE run_id = ? AND round = ?");
  const metricsOfKept = db.prepare(`
    SELECT round, metric, value FROM round_metrics JOIN checkpoints USING (run_id, round)
    WHERE run_id = ? AND value IS NOT NULL`);

  /** The best round of those with a checkpoint; undefined where none of the metrics is known. */
  const bestRound = (run: string, order: BestBy): number | undefined => {
    const rows = metricsOfKept.all(run) as { round: number; metric: string; value: number }[];
    const rounds = Map.groupBy(
      rows.filter(({ metric }) => order.some(({ id }) => id === metric)),
      ({ round }) => round,
    );
    const known = Array.from(rounds, ([round, ofIt]) => ({
      round,
      values: new Map(ofIt.map(({ metric, value }) => [metric, value])),
    }));
    return known.sort((a, b) => compareRounds(a.values, b.values, order) || a.round - b.round)[0]?.round;
  };

  /** Paths are kept relative and with "/", so that a data directory can be moved. */
  const kept = (path: string): string => relative(dataDir, path).split(sep).join("/");
  const toRecord = (row: CheckpointRow): CheckpointRecord => ({
    run: row.run_id,
    round: row.round,
    path: join(dataDir, row.path),
    bytes: row.bytes,
    sha256: row.sha256,
  });
  const key = (run: string, round: number) => `${run}/${round}`;
  const get = (run: string, round: number): CheckpointRecord | undefined => {
    const row = (one.get(run, round) ?? ofStudy.get(run, round)) as CheckpointRow | undefined;
    return row && toRecord(row);
  };

  return {
    /**
     * Writes the checkpoint of a round that is about to be recorded, durably and without blocking the event loop. Until
     * the round is recorded no row points to the file, and the next start would remove it.
     * With a study's id in place of a run's, the file belongs to the study and is on record at once.
     * Tensors must not change until the promise resolves.
     * @returns the file's absolute path.
     * @throws UserError when the disk is full or may not be written.
     */
    write: async (
      run: string,
      round: number,
      tensors: readonly NamedTensor[],
      metadata: Readonly<Record<string, string>> = {},
    ): Promise<string> => {
      if (!/^[\w-]+$/.test(run) || !Number.isInteger(round) || round < 0) {
        throw new TypeError(`no file can be named after run ${run}, round ${round}`);
      }
      if (get(run, round) !== undefined)
        throw new Error(`round ${round} of ${run} already has its checkpoint`);
      const path = join(dataDir, FOLDER, run, `round-${String(round).padStart(5, "0")}.safetensors`);
      const { bytes, sha256 } = await writeSafetensors(path, tensors, metadata);
      if (isStudy.get(run) !== undefined) {
        insertOfStudy.run(run, round, kept(path), bytes, sha256, new Date().toISOString());
      } else {
        pending.set(key(run, round), { run, round, path, bytes, sha256 });
      }
      return path;
    },
    /**
     * Reads a checkpoint back; a recorded one must be the very file that was recorded.
     * @throws UserError that names the file when it is missing, damaged or not the recorded one.
     */
    read: async (
      path: string,
    ): Promise<{ tensors: readonly NamedTensor[]; metadata: Readonly<Record<string, string>> }> => {
      const whole = isAbsolute(path) ? path : join(dataDir, path);
      const row = byPath.get({ path: kept(whole) }) as CheckpointRow | undefined;
      const { tensors, metadata, sha256 } = await readSafetensorsFile(whole);
      if (row !== undefined && row.sha256 !== sha256) {
        throw new UserError(
          `${whole} is not the checkpoint that round ${row.round} of ${row.run_id} recorded: its SHA-256 is ` +
            `${sha256}, not ${row.sha256}. Restore it from a copy, or start the study again as a new one.`,
        );
      }
      return { tensors, metadata };
    },
    /** The checkpoint on record for a round of a run, or for a study. */
    get,
    of: (run: string): CheckpointRecord[] => (ofRun.all(run) as CheckpointRow[]).map(toRecord),
    /** The checkpoint written for a round that is not recorded yet. */
    pending: (run: string, round: number): CheckpointRecord | undefined => pending.get(key(run, round)),
    /** Within a transaction: puts a written checkpoint on record. */
    add: (checkpoint: CheckpointRecord, at: string): void => {
      const { run, round, path, bytes, sha256 } = checkpoint;
      insert.run(run, round, kept(path), bytes, sha256, at);
    },
    /** After the transaction. */
    settle: (run: string, round: number): void => {
      pending.delete(key(run, round));
    },
    /**
     * Removes a run's older checkpoints. The last one is what a resume needs; the best is that of the best first
     * metric, among equals (or where it is not known) of the best second, and so on; of the earlier two that are equal
     * in all. Rows go first, then files: a row always has its file.
     * @param bestBy the primary metric first; none keeps the last checkpoint alone
     * @returns how many were removed.
     */
    prune: async (run: string, bestBy: BestBy): Promise<number> => {
      const doomed = inTransaction(db, () => {
        const rows = ofRun.all(run) as CheckpointRow[];
        const keepers = new Set([rows.at(-1)?.round]);
        keepers.add(bestRound(run, bestBy));
        const others = rows.filter((row) => !keepers.has(row.round));
        for (const row of others) remove.run(run, row.round);
        return others;
      });
      for (const row of doomed) await rm(join(dataDir, row.path), { force: true });
      return doomed.length;
    },
    /** At the start: removes files of ours that no row points to. @returns how many. */
    removeOrphans: (): number => {
      const wanted = new Set((allPaths.all() as { path: string }[]).map((row) => row.path));
      const root = join(dataDir, FOLDER);
      let removed = 0;
      for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
        const path = join(entry.parentPath, entry.name);
        const isOurs = FILE_NAME.test(entry.name) || entry.name.endsWith(UNFINISHED_SUFFIX);
        if (!entry.isFile() || !isOurs || wanted.has(kept(path))) continue;
        rmSync(path, { force: true });
        removed++;
      }
      return removed;
    },
  };
};
