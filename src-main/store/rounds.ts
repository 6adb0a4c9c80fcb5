import type { DatabaseSync } from "node:sqlite";
import type { RoundResult } from "#contract/events.ts";
import type { Curve } from "#contract/views.ts";
import type { CheckpointRecord, Checkpoints } from "./checkpoints.ts";
import { fromExactJson, toExactJson } from "./exact-json.ts";
import type { Updates } from "./updates.ts";

/** One point of a run's curve. Null where unknown, and where a diverged run's loss is not a finite number. */
export type CurvePoint = {
  readonly round: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
};

export interface LastRound {
  readonly round: number;
  readonly weightsSha256: string;
  readonly checkpoint: CheckpointRecord;
}

export type Rounds = ReturnType<typeof createRounds>;

const finite = (n: number | null): number | null => (n !== null && Number.isFinite(n) ? n : null);

export const createRounds = (db: DatabaseSync, updates: Updates, checkpoints: Checkpoints) => {
  const insertRound = db.prepare("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const insertRecord = db.prepare("INSERT INTO round_records (run_id, round, body) VALUES (?, ?, ?)");
  const records = db.prepare("SELECT round, body FROM round_records WHERE run_id = ? ORDER BY round");
  const record = db.prepare("SELECT body FROM round_records WHERE run_id = ? AND round = ?");
  const curve = db.prepare("SELECT round, loss, accuracy FROM rounds WHERE run_id = ? ORDER BY round");
  const columns = db.prepare(
    "SELECT round, accuracy, loss, seconds, clients, failures FROM rounds WHERE run_id = ? ORDER BY round",
  );
  columns.setReturnArrays(true);
  const last = db.prepare(
    "SELECT round, weights_sha256 FROM rounds WHERE run_id = ? ORDER BY round DESC LIMIT 1",
  );

  return {
    /** Every recorded round with everything that is known of it, as it was recorded; in order. */
    of: (run: string): RoundResult[] => {
      const byRound = updates.recordedByRound(run);
      return (records.all(run) as { round: number; body: string }[]).map(({ round, body }) => ({
        ...(fromExactJson(body) as RoundResult),
        updates: byRound.get(round) ?? [],
      }));
    },
    get: (run: string, round: number): RoundResult | undefined => {
      const row = record.get(run, round) as { body: string } | undefined;
      return row && { ...(fromExactJson(row.body) as RoundResult), updates: updates.recorded(run, round) };
    },
    withoutUpdates: (run: string, round: number): RoundResult | undefined => {
      const row = record.get(run, round) as { body: string } | undefined;
      return row && (fromExactJson(row.body) as RoundResult);
    },
    /** The figures that a chart draws, without reading the rest of the rounds. */
    curve: (run: string): CurvePoint[] => (curve.all(run) as CurvePoint[]).map((point) => ({ ...point })),
    /** The same with what it took and who took part, by columns. */
    columns: (run: string): Curve => {
      const rows = columns.all(run) as unknown as (number | null)[][];
      const column = (i: number): number[] => rows.map((row) => row[i] as number);
      return {
        run,
        round: column(0),
        accuracy: rows.map((row) => row[1] ?? null),
        loss: rows.map((row) => row[2] ?? null),
        seconds: column(3),
        clients: column(4),
        failures: column(5),
      };
    },
    /** The round to go on after, and the weights to go on with. */
    last: (run: string): LastRound | undefined => {
      const row = last.get(run) as { round: number; weights_sha256: string } | undefined;
      return (
        row && {
          round: row.round,
          weightsSha256: row.weights_sha256,
          // recorded together with the round, and never pruned while it is the last
          checkpoint: checkpoints.get(run, row.round)!,
        }
      );
    },

    /** Within a transaction: adds a finished round, once. */
    add: (run: string, result: RoundResult): void => {
      insertRound.run(
        run,
        result.round,
        finite(result.loss),
        finite(result.accuracy),
        result.clients.length,
        result.failures.length,
        result.examples,
        result.weightsSha256,
        result.startedAt,
        result.seconds,
      );
      // updates have rows of their own
      insertRecord.run(run, result.round, toExactJson({ ...result, updates: [] }));
      updates.takeIn(run, result);
    },
  };
};
