import type { DatabaseSync } from "node:sqlite";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";

/** What a recorded round of training took. */
export interface PacedRound {
  readonly algorithm: string;
  readonly study: Study;
  readonly seconds: number;
  /** Examples behind the aggregated updates. */
  readonly examples: number;
  /** Devices whose update was aggregated. */
  readonly clients: number;
}

/** Enough for an estimate; older runs may come from an older lab, or from a time of other work. */
const RUNS = 24;
const ROUNDS_PER_RUN = 10;

/** The latest rounds of a model on a kind of engine in which virtual devices alone have trained, newest runs first. */
export const createPace = (db: DatabaseSync) => {
  const runs = db.prepare(`
    SELECT runs.id, runs.algorithm, studies.study FROM runs JOIN studies ON studies.id = runs.study_id
    WHERE json_extract(studies.study, '$.model') = :model
      AND json_extract(coalesce(runs.engine, studies.engine), '$.kind') = :kind
      AND json_extract(studies.study, '$.fleet.external') IS NULL
      AND EXISTS (SELECT 1 FROM rounds WHERE run_id = runs.id AND round > 0 AND examples > 0)
    ORDER BY runs.ordinal DESC LIMIT ${RUNS}`);
  const rounds = db.prepare(`
    SELECT seconds, examples, clients FROM rounds WHERE run_id = ? AND round > 0 AND examples > 0
    ORDER BY round DESC LIMIT ${ROUNDS_PER_RUN}`);
  return (model: Study["model"], kind: EngineInfo["kind"]): PacedRound[] =>
    (runs.all({ model, kind }) as { id: string; algorithm: string; study: string }[]).flatMap(
      ({ id, algorithm, study: text }) => {
        const study = JSON.parse(text) as Study;
        return (rounds.all(id) as { seconds: number; examples: number; clients: number }[]).map((round) => ({
          algorithm,
          study,
          ...round,
        }));
      },
    );
};
