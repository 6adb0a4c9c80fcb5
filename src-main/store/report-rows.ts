import type { DatabaseSync } from "node:sqlite";
import type { EngineInfo } from "#contract/jobs.ts";
import type { MetricValues } from "#contract/metrics.ts";
import type { Study } from "#contract/study.ts";
import { readRecordedMetrics } from "./round-records.ts";

/** What a report says of a study, without its partition's lists and its runs. */
export interface ReportStudyRow {
  readonly id: string;
  readonly name: string;
  readonly settings: Study;
  readonly classes: readonly string[];
  readonly partitionSha?: string;
  readonly datasetSha?: string;
  readonly engine: EngineInfo;
}

/** A round as a report needs it. Metrics are the very numbers on record, NaN included. */
export interface ReportRoundRow {
  readonly round: number;
  readonly metrics: MetricValues;
  /** Devices whose update was aggregated, and failures. */
  readonly clients: number;
  readonly failures: number;
  readonly examples: number;
  readonly seconds: number;
  readonly weightsSha256: string;
}

type StudyRow = {
  id: string;
  name: string;
  study: string;
  classes: string;
  partition_sha256: string | null;
  dataset_sha256: string | null;
  engine: string;
};

/** Studies and rounds as reports need them, without reading the records of rounds. */
export const createReportRows = (db: DatabaseSync) => {
  const study = db.prepare(`
    SELECT id, name, study, classes, partition_sha256, dataset_sha256, engine FROM studies WHERE id = ?`);
  const firstWeights = db.prepare(
    "SELECT weights_sha256 AS sha256 FROM rounds WHERE run_id = ? AND round = 0",
  );
  const rounds = db.prepare(`
    SELECT round, clients, failures, examples, seconds, weights_sha256
    FROM rounds WHERE run_id = ? ORDER BY round`);
  rounds.setReturnArrays(true);
  const metrics = db.prepare(
    "SELECT round, metric, value FROM round_metrics WHERE run_id = ? ORDER BY round",
  );
  metrics.setReturnArrays(true);
  // A figure that is no finite number is null in the narrow row: only then does the record say which.
  const recorded = db.prepare(`
    SELECT body -> '$.metrics' AS metrics, body -> '$.accuracy' AS accuracy, body -> '$.loss' AS loss
    FROM round_records WHERE run_id = ? AND round = ?`);
  const metricsOf = (run: string): Map<number, MetricValues> => {
    const rows = metrics.all(run) as unknown as [number, string, number | null][];
    const byRound = Map.groupBy(rows, ([round]) => round);
    return new Map(
      Array.from(byRound, ([round, ofIt]) => {
        const isExact = ofIt.every(([, , value]) => value !== null);
        const values = isExact
          ? Object.fromEntries(ofIt.map(([, metric, value]) => [metric, value]))
          : readRecordedMetrics(recorded.get(run, round) as Parameters<typeof readRecordedMetrics>[0]);
        return [round, values];
      }),
    );
  };

  return {
    study: (id: string): ReportStudyRow | undefined => {
      const row = study.get(id) as StudyRow | undefined;
      return (
        row && {
          id: row.id,
          name: row.name,
          settings: JSON.parse(row.study) as Study,
          classes: JSON.parse(row.classes) as string[],
          ...(row.partition_sha256 === null ? {} : { partitionSha: row.partition_sha256 }),
          ...(row.dataset_sha256 === null ? {} : { datasetSha: row.dataset_sha256 }),
          engine: JSON.parse(row.engine) as EngineInfo,
        }
      );
    },
    /** SHA-256 of a run's initial weights; undefined before its round 0 is recorded. */
    firstWeights: (run: string): string | undefined =>
      (firstWeights.get(run) as { sha256: string } | undefined)?.sha256,
    /** In order. */
    rounds: (run: string): ReportRoundRow[] => {
      const values = metricsOf(run);
      return (rounds.all(run) as unknown as unknown[][]).map((row) => ({
        round: row[0] as number,
        metrics: values.get(row[0] as number) ?? {},
        clients: row[1] as number,
        failures: row[2] as number,
        examples: row[3] as number,
        seconds: row[4] as number,
        weightsSha256: row[5] as string,
      }));
    },
  };
};
