import type { DatabaseSync } from "node:sqlite";
import type { RunStatus } from "#contract/events.ts";
import { fleetSize } from "#contract/fleet.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Metric } from "#contract/metrics.ts";
import type { Study } from "#contract/study.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { StudyRow } from "#contract/views.ts";

/** The partition of a study without the lists of samples. */
export interface PartitionSummary {
  readonly kind: string;
  readonly sha256: string;
  /** Training samples per device and class. */
  readonly histogram: readonly (readonly number[])[];
}

type Row = {
  id: string;
  name: string;
  status: RunStatus;
  reason: string | null;
  study: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
};
type RunRow = {
  study_id: string;
  algorithm: string;
  status: RunStatus;
  id: string;
  last_round: number | null;
};
type LastValue = { run_id: string; metric: string; value: number };

/** What the settings of a study say in a line. */
const settingsLine = (study: Study) => ({
  dataset: study.dataset,
  model: study.model,
  rounds: study.rounds,
  trials: study.trials,
  fleetSize: fleetSize(study.fleet),
});

export const createStudyRows = (db: DatabaseSync) => {
  const studies = db.prepare(`
    SELECT id, name, status, reason, study, created_at, started_at, ended_at
    FROM studies ORDER BY ordinal DESC LIMIT ?`);
  // The last round of a run is found by its key; before round 1 nothing was trained, so it is no result.
  const runs = db.prepare(`
    SELECT study_id, runs.id, algorithm, runs.status, last.round AS last_round
    FROM runs LEFT JOIN rounds AS last ON last.run_id = runs.id AND last.round > 0
      AND last.round = (SELECT max(round) FROM rounds WHERE run_id = runs.id)
    ORDER BY runs.ordinal`);
  const lastValues = db.prepare(`
    SELECT run_id, metric, value FROM runs JOIN round_metrics ON run_id = runs.id
      AND round > 0 AND round = (SELECT max(round) FROM rounds WHERE run_id = runs.id)
    WHERE value IS NOT NULL`);
  const partition = db.prepare(`
    SELECT json_extract(body, '$.kind') AS kind, sha256, json_extract(body, '$.histogram') AS histogram
    FROM partitions WHERE sha256 = (SELECT partition_sha256 FROM studies WHERE id = ?)`);
  const find = db.prepare(`
    SELECT id, name, status, reason, study, created_at, started_at, ended_at, dataset_sha256, engine, classes
    FROM studies WHERE id = ?`);
  const rename = db.prepare("UPDATE studies SET name = ?, study = ? WHERE id = ?");
  const settingsOf = db.prepare("SELECT study FROM studies WHERE id = ?");

  const head = (row: Row) => ({
    id: row.id,
    name: row.name,
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    createdAt: row.created_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  });

  return {
    /** Newest first. */
    list: (limit = 10_000): StudyRow[] => {
      const byStudy = Map.groupBy(runs.all() as RunRow[], (run) => run.study_id);
      const values = Map.groupBy(lastValues.all() as LastValue[], (row) => row.run_id);
      return (studies.all(limit) as Row[]).map((row) => {
        const study = JSON.parse(row.study) as Study;
        const ofIt = byStudy.get(row.id) ?? [];
        const valuesOf = (run: RunRow, metric: Metric): number[] =>
          (values.get(run.id) ?? []).flatMap((one) => (one.metric === metric.id ? [one.value] : []));
        const known = metricsOf(study);
        const metric = known.find((one) => ofIt.some((run) => valuesOf(run, one).length > 0)) ?? known[0]!;
        return {
          ...head(row),
          algorithms: study.algorithms,
          ...settingsLine(study),
          runs: ofIt.length,
          runsDone: ofIt.filter((run) => run.status === "done").length,
          roundsDone: ofIt.reduce((sum, run) => sum + (run.last_round ?? 0), 0),
          metric,
          results: study.algorithms.map((algorithm) => {
            const lasts = ofIt.flatMap((run) => (run.algorithm === algorithm ? valuesOf(run, metric) : []));
            const mean = lasts.reduce((a, b) => a + b, 0) / lasts.length;
            return { algorithm, value: lasts.length === 0 ? null : mean, n: lasts.length };
          }),
        };
      });
    },
    /** A study without its partition, its runs and their rounds. */
    get: (id: string) => {
      const row = find.get(id) as
        | (Row & { dataset_sha256: string | null; engine: string; classes: string })
        | undefined;
      if (row === undefined) return undefined;
      const study = JSON.parse(row.study) as Study;
      return {
        ...head(row),
        ...settingsLine(study),
        study,
        engine: JSON.parse(row.engine) as EngineInfo,
        classes: JSON.parse(row.classes) as string[],
        ...(row.dataset_sha256 === null ? {} : { datasetSha: row.dataset_sha256 }),
      };
    },
    partition: (id: string): PartitionSummary | undefined => {
      const row = partition.get(id) as { kind: string; sha256: string; histogram: string } | undefined;
      return row && { ...row, histogram: JSON.parse(row.histogram) as number[][] };
    },
    /** @returns false when there is no such study. */
    rename: (id: string, name: string): boolean => {
      const row = settingsOf.get(id) as { study: string } | undefined;
      if (row === undefined) return false;
      const study = JSON.parse(row.study) as Study;
      rename.run(name, JSON.stringify({ ...study, name }), id);
      return true;
    },
  };
};
