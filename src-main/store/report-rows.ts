import type { DatabaseSync } from "node:sqlite";
import type { EngineInfo } from "#contract/jobs.ts";
import type { Study } from "#contract/study.ts";
import { fromExactJson } from "./exact-json.ts";

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

/** A round as a report needs it. Loss and accuracy are the very numbers on record, NaN included. */
export interface ReportRoundRow {
  readonly round: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Devices whose update was folded, and failures. */
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
  // A figure that is no finite number is null in the narrow row: only then does the record say which.
  const exact = (column: "loss" | "accuracy") => `
    CASE WHEN ${column} IS NULL THEN (SELECT body -> '$.${column}' FROM round_records AS r
      WHERE r.run_id = rounds.run_id AND r.round = rounds.round) END`;
  const rounds = db.prepare(`
    SELECT round, loss, accuracy, clients, failures, examples, seconds, weights_sha256,
      ${exact("loss")}, ${exact("accuracy")}
    FROM rounds WHERE run_id = ? ORDER BY round`);
  rounds.setReturnArrays(true);
  const numberOf = (value: unknown, recorded: unknown): number | null =>
    value !== null
      ? (value as number)
      : recorded === null
        ? null
        : (fromExactJson(recorded as string) as number | null);

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
    /** SHA-256 of the weights that a run began with; undefined before its round 0 is on record. */
    firstWeights: (run: string): string | undefined =>
      (firstWeights.get(run) as { sha256: string } | undefined)?.sha256,
    /** In order. */
    rounds: (run: string): ReportRoundRow[] =>
      (rounds.all(run) as unknown as unknown[][]).map((row) => ({
        round: row[0] as number,
        loss: numberOf(row[1], row[8]),
        accuracy: numberOf(row[2], row[9]),
        clients: row[3] as number,
        failures: row[4] as number,
        examples: row[5] as number,
        seconds: row[6] as number,
        weightsSha256: row[7] as string,
      })),
  };
};
