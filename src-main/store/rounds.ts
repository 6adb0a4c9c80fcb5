import type { DatabaseSync } from "node:sqlite";
import type { RoundResult, RoundSummary } from "#contract/events.ts";
import type { MetricValues } from "#contract/metrics.ts";
import type { Curve } from "#contract/views.ts";
import type { CheckpointRecord, CheckpointTable } from "./checkpoints.ts";
import { toExactJson } from "./exact-json.ts";
import { readRoundRecord, toSummary } from "./round-records.ts";
import type { UpdateTable } from "./updates.ts";

export interface LastRound {
  readonly round: number;
  readonly weightsSha256: string;
  readonly checkpoint: CheckpointRecord;
}

export type RoundTable = ReturnType<typeof createRoundTable>;

type MetricRow = [round: number, metric: string, value: number | null];

const finite = (n: number | null): number | null => (n !== null && Number.isFinite(n) ? n : null);

/** Fields stand where they stood when the round was recorded: exports keep their order. */
const withUpdates = (
  { evaluations, ...rest }: Omit<RoundResult, "updates">,
  updates: RoundResult["updates"],
): RoundResult => ({ ...rest, updates, evaluations });

export const createRoundTable = (db: DatabaseSync, updates: UpdateTable, checkpoints: CheckpointTable) => {
  const insertRound = db.prepare(`
    INSERT INTO rounds (run_id, round, clients, failures, examples, weights_sha256, started_at, seconds)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const insertMetric = db.prepare(
    "INSERT INTO round_metrics (run_id, round, metric, value) VALUES (?, ?, ?, ?)",
  );
  const insertRecord = db.prepare("INSERT INTO round_records (run_id, round, body) VALUES (?, ?, ?)");
  const records = db.prepare("SELECT round, body FROM round_records WHERE run_id = ? ORDER BY round");
  const record = db.prepare("SELECT body FROM round_records WHERE run_id = ? AND round = ?");
  const clients = db.prepare(
    "SELECT round, body -> '$.clients' AS clients FROM round_records WHERE run_id = ? ORDER BY round",
  );
  const columns = db.prepare(
    "SELECT round, seconds, clients, failures FROM rounds WHERE run_id = ? ORDER BY round",
  );
  columns.setReturnArrays(true);
  const metrics = db.prepare(
    "SELECT round, metric, value FROM round_metrics WHERE run_id = ? ORDER BY round",
  );
  metrics.setReturnArrays(true);
  const last = db.prepare(
    "SELECT round, weights_sha256 FROM rounds WHERE run_id = ? ORDER BY round DESC LIMIT 1",
  );

  const metricsByRound = (run: string): Map<number, Record<string, number | null>> => {
    const byRound = new Map<number, Record<string, number | null>>();
    for (const [round, metric, value] of metrics.all(run) as unknown as MetricRow[]) {
      const values = byRound.get(round) ?? {};
      values[metric] = value;
      byRound.set(round, values);
    }
    return byRound;
  };

  const read = (run: string, round: number) => {
    const row = record.get(run, round) as { body: string } | undefined;
    return row && readRoundRecord(row.body);
  };

  return {
    /** Every recorded round with everything that is known of it, as it was recorded; in order. */
    of: (run: string): RoundResult[] => {
      const byRound = updates.recordedByRound(run);
      return (records.all(run) as { round: number; body: string }[]).map(({ round, body }) =>
        withUpdates(readRoundRecord(body), byRound.get(round) ?? []),
      );
    },
    get: (run: string, round: number): RoundResult | undefined => {
      const found = read(run, round);
      return found && withUpdates(found, updates.recorded(run, round));
    },
    /** Without what its devices sent. */
    summary: (run: string, round: number): RoundSummary | undefined => {
      const found = read(run, round);
      return found && toSummary(found);
    },
    /** What a run looks at again of its finished rounds, without reading the rest of them; in order. */
    remembered: (run: string): { round: number; clients: readonly string[]; metrics: MetricValues }[] => {
      const values = metricsByRound(run);
      return (clients.all(run) as { round: number; clients: string }[]).map((row) => ({
        round: row.round,
        clients: JSON.parse(row.clients) as string[],
        metrics: values.get(row.round) ?? {},
      }));
    },
    /** The figures that a chart draws, what it took and who took part, by columns, without reading the records. */
    columns: (run: string): Curve => {
      const rows = columns.all(run) as unknown as number[][];
      const column = (i: number): number[] => rows.map((row) => row[i]!);
      const round = column(0);
      const place = new Map(round.map((each, i) => [each, i]));
      const byMetric = new Map<string, (number | null)[]>();
      for (const [at, metric, value] of metrics.all(run) as unknown as MetricRow[]) {
        let values = byMetric.get(metric);
        if (values === undefined) {
          values = new Array<number | null>(round.length).fill(null);
          byMetric.set(metric, values);
        }
        values[place.get(at)!] = value;
      }
      return {
        run,
        round,
        metrics: Object.fromEntries(byMetric),
        seconds: column(1),
        clients: column(2),
        failures: column(3),
      };
    },
    /** The round to resume after, and its weights. */
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
        result.clients.length,
        result.failures.length,
        result.examples,
        result.weightsSha256,
        result.startedAt,
        result.seconds,
      );
      for (const [metric, value] of Object.entries(result.metrics)) {
        insertMetric.run(run, result.round, metric, finite(value));
      }
      // updates have rows of their own
      insertRecord.run(run, result.round, toExactJson({ ...result, updates: [] }));
      updates.takeIn(run, result);
    },
  };
};
