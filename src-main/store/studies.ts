import type { DatabaseSync } from "node:sqlite";
import type { Partition } from "#contract/dataset.ts";
import type { RunStatus } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import { inTransaction } from "./database.ts";
import { newId } from "./ids.ts";
import type { RunRecord, RunTable } from "./runs.ts";

export interface NewRun {
  readonly algorithm: string;
  /** From 1. */
  readonly trial: number;
  readonly seed: number;
}

export interface NewStudy {
  readonly study: Study;
  /** Undefined where no device takes its data from this computer. */
  readonly partition: Partition | undefined;
  /** Names of the classes, in the order of their indices; empty where they are not known. */
  readonly classes: readonly string[];
  /** SHA-256 (hex) of the data set's files, where it has any. */
  readonly datasetSha?: string | undefined;
  readonly engine: EngineInfo;
  readonly runs: readonly NewRun[];
}

/** What a list shows of a study. Times are ISO 8601 in UTC. */
export interface StudySummary {
  readonly id: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly reason?: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly study: Study;
  readonly runs: number;
  readonly runsDone: number;
}

export interface StudyRecord extends Omit<StudySummary, "runs" | "runsDone"> {
  readonly partition: Partition | undefined;
  readonly classes: readonly string[];
  readonly datasetSha?: string;
  readonly engine: EngineInfo;
  readonly runs: readonly RunRecord[];
}

type SummaryRow = {
  id: string;
  name: string;
  status: RunStatus;
  reason: string | null;
  study: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  runs: number;
  runs_done: number;
};
type StudyRow = SummaryRow & {
  dataset_sha256: string | null;
  engine: string;
  partition: string | null;
  classes: string;
};

const shared = (row: SummaryRow) => ({
  id: row.id,
  name: row.name,
  status: row.status,
  ...(row.reason === null ? {} : { reason: row.reason }),
  createdAt: row.created_at,
  ...(row.started_at === null ? {} : { startedAt: row.started_at }),
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  study: JSON.parse(row.study) as Study,
});

export type StudyTable = ReturnType<typeof createStudyTable>;

export const createStudyTable = (db: DatabaseSync, runs: RunTable) => {
  const savePartition = db.prepare("INSERT OR IGNORE INTO partitions (sha256, body) VALUES (?, ?)");
  const insertStudy = db.prepare(`
    INSERT INTO studies (id, name, status, study, classes, partition_sha256, dataset_sha256, engine, created_at)
    VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?)`);
  const insertRun = db.prepare(
    "INSERT INTO runs (id, study_id, algorithm, trial, seed, status) VALUES (?, ?, ?, ?, ?, 'waiting')",
  );
  const hasStudy = db.prepare("SELECT 1 FROM studies WHERE id = ?");
  const hasRun = db.prepare("SELECT 1 FROM runs WHERE id = ?");
  const one = db.prepare(`
    SELECT studies.*, partitions.body AS "partition", 0 AS runs, 0 AS runs_done
    FROM studies LEFT JOIN partitions ON partitions.sha256 = partition_sha256 WHERE id = ?`);
  const all = db.prepare(`
    SELECT id, name, status, reason, study, created_at, started_at, ended_at,
      (SELECT count(*) FROM runs WHERE study_id = studies.id) AS runs,
      (SELECT count(*) FROM runs WHERE study_id = studies.id AND status = 'done') AS runs_done
    FROM studies ORDER BY ordinal DESC LIMIT ?`);
  const interrupted = db.prepare(
    "SELECT id FROM studies WHERE status = 'interrupted' ORDER BY ordinal DESC LIMIT 1",
  );
  const hasRounds = db.prepare(
    "SELECT 1 FROM runs JOIN rounds ON rounds.run_id = runs.id WHERE study_id = ? LIMIT 1",
  );
  const partitionOf = db.prepare("SELECT partition_sha256 FROM studies WHERE id = ?");
  const removeStudy = db.prepare("DELETE FROM studies WHERE id = ?");
  const removeUnusedPartition = db.prepare(`
    DELETE FROM partitions WHERE sha256 = :sha256
      AND NOT EXISTS (SELECT 1 FROM studies WHERE partition_sha256 = :sha256)`);
  const setEngine = db.prepare("UPDATE studies SET engine = ? WHERE id = ?");
  const setStatus = db.prepare(`
    UPDATE studies SET status = :status, reason = :reason,
      started_at = CASE WHEN :status = 'running' THEN coalesce(started_at, :at) ELSE started_at END,
      ended_at = CASE WHEN :status IN ('running', 'waiting') THEN NULL ELSE :at END
    WHERE id = :id`);

  const get = (id: string): StudyRecord | undefined => {
    const row = one.get(id) as StudyRow | undefined;
    if (row === undefined) return undefined;
    return {
      ...shared(row),
      partition: row.partition === null ? undefined : (JSON.parse(row.partition) as Partition),
      classes: JSON.parse(row.classes) as string[],
      ...(row.dataset_sha256 === null ? {} : { datasetSha: row.dataset_sha256 }),
      engine: JSON.parse(row.engine) as EngineInfo,
      runs: runs.of(id),
    };
  };

  return {
    /**
     * Records a study with all its runs, each of them "waiting", in one transaction.
     * @returns the new ids, such as s-7k3f9q and r-x4dd2m; runs in the given order.
     */
    create: (
      input: NewStudy,
      at: string = new Date().toISOString(),
    ): { id: string; runs: (NewRun & { id: string })[] } =>
      inTransaction(db, () => {
        const id = newId("s", (taken) => hasStudy.get(taken) !== undefined);
        const { partition } = input;
        if (partition) savePartition.run(partition.sha256, JSON.stringify(partition));
        insertStudy.run(
          id,
          input.study.name,
          JSON.stringify(input.study),
          JSON.stringify(input.classes),
          partition?.sha256 ?? null,
          input.datasetSha ?? null,
          JSON.stringify(input.engine),
          at,
        );
        const planned = input.runs.map(({ algorithm, trial, seed }) => {
          const run = newId("r", (taken) => hasRun.get(taken) !== undefined);
          insertRun.run(run, id, algorithm, trial, seed);
          return { id: run, algorithm, trial, seed };
        });
        return { id, runs: planned };
      }),
    get,
    /** @throws UserError that names the newest studies when there is none of that id. */
    require: (id: string): StudyRecord => {
      const found = get(id);
      if (found !== undefined) return found;
      const newest = (all.all(5) as SummaryRow[]).map((row) => `${row.id} (${row.name})`);
      throw new UserError(
        `There is no study ${id} in this data directory. ` +
          (newest.length > 0 ? `The newest are ${newest.join(", ")}.` : "It holds no studies yet."),
      );
    },
    /** Newest first. */
    list: (limit = 1000): StudySummary[] =>
      (all.all(limit) as SummaryRow[]).map((row) => ({
        ...shared(row),
        runs: row.runs,
        runsDone: row.runs_done,
      })),
    /** The newest study that can be resumed. */
    latestInterrupted: (): StudyRecord | undefined => {
      const row = interrupted.get() as { id: string } | undefined;
      return row && get(row.id);
    },
    /** Records another engine of a study: the runs that start from now on name it. */
    setEngine: (id: string, engine: EngineInfo): void => {
      setEngine.run(JSON.stringify(engine), id);
    },
    /**
     * Deletes a study that never started, such as one whose equipment could not be brought up: its runs, its events, and its
     * partition where no other study has it, in one transaction. Weights of its own lose their row here and their
     * file at the next start.
     * @returns false, and everything stays, when a round of it is on record or there is no such study.
     */
    remove: (id: string): boolean =>
      inTransaction(db, () => {
        if (hasRounds.get(id) !== undefined) return false;
        const row = partitionOf.get(id) as { partition_sha256: string | null } | undefined;
        if (row === undefined) return false;
        removeStudy.run(id);
        removeUnusedPartition.run({ sha256: row.partition_sha256 });
        return true;
      }),
    /** @throws Error when there is no such study. */
    setStatus: (
      id: string,
      status: RunStatus,
      reason?: string,
      at: string = new Date().toISOString(),
    ): void => {
      if (setStatus.run({ id, status, reason: reason ?? null, at }).changes === 0) {
        throw new Error(`there is no study ${id}`);
      }
    },
  };
};
