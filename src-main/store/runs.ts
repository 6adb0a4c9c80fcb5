import type { DatabaseSync } from "node:sqlite";
import type { RunStatus } from "#contract/events.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import type { RunRow as RunView } from "#contract/views.ts";
import { createPace } from "./pace.ts";

export interface RunRecord extends RunView {
  /** The last round that was recorded; undefined before the first. */
  readonly lastRound?: number;
}

type RunRow = {
  id: string;
  study_id: string;
  algorithm: string;
  trial: number;
  seed: number;
  status: RunStatus;
  reason: string | null;
  engine: string | null;
  started_at: string | null;
  ended_at: string | null;
  last_round: number | null;
};

const toRecord = (row: RunRow): RunRecord => ({
  id: row.id,
  study: row.study_id,
  algorithm: row.algorithm,
  trial: row.trial,
  seed: row.seed,
  status: row.status,
  ...(row.reason === null ? {} : { reason: row.reason }),
  ...(row.engine === null ? {} : { engine: JSON.parse(row.engine) as EngineInfo }),
  ...(row.started_at === null ? {} : { startedAt: row.started_at }),
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  ...(row.last_round === null ? {} : { lastRound: row.last_round }),
});

export type RunTable = ReturnType<typeof createRunTable>;

export const createRunTable = (db: DatabaseSync) => {
  const columns = "runs.*, (SELECT max(round) FROM rounds WHERE run_id = runs.id) AS last_round";
  const ofStudy = db.prepare(`SELECT ${columns} FROM runs WHERE study_id = ? ORDER BY ordinal`);
  const one = db.prepare(`SELECT ${columns} FROM runs WHERE id = ?`);
  // A run that continues has no end; its start is the first one.
  const setStatus = db.prepare(`
    UPDATE runs SET status = :status, reason = :reason,
      started_at = CASE WHEN :status = 'running' THEN coalesce(started_at, :at) ELSE started_at END,
      ended_at = CASE WHEN :status IN ('running', 'waiting') THEN NULL ELSE :at END
    WHERE id = :id`);
  const takeEngine = db.prepare(
    "UPDATE runs SET engine = (SELECT engine FROM studies WHERE studies.id = study_id) WHERE id = ?",
  );
  const studyOf = db.prepare("SELECT study_id FROM runs WHERE id = ?");
  return {
    /** In the order in which the study was created with them. */
    of: (study: string): RunRecord[] => (ofStudy.all(study) as RunRow[]).map(toRecord),
    get: (id: string): RunRecord | undefined => {
      const row = one.get(id) as RunRow | undefined;
      return row && toRecord(row);
    },
    /** @throws Error when there is no such run: callers have the id from here. */
    setStatus: (
      id: string,
      status: RunStatus,
      reason?: string,
      at: string = new Date().toISOString(),
    ): void => {
      if (setStatus.run({ id, status, reason: reason ?? null, at }).changes === 0) {
        throw new Error(`there is no run ${id}`);
      }
    },
    /** A run that starts is computed by the engine that its study has then. */
    takeEngine: (id: string): void => {
      takeEngine.run(id);
    },
    pace: createPace(db),
    /** The study of a run. @throws Error when there is no such run. */
    studyOf: (id: string): string => {
      const row = studyOf.get(id) as { study_id: string } | undefined;
      if (row === undefined) throw new Error(`there is no run ${id}`);
      return row.study_id;
    },
  };
};
