import type { DatabaseSync } from "node:sqlite";
import type { ClientUpdate, RoundResult } from "#contract/events.ts";
import type { CheckpointRecord, Checkpoints } from "./checkpoints.ts";
import { fromExactJson, toExactJson } from "./exact-json.ts";

/** One point of a run's curve. Null where unknown, and where a diverged run's loss is not a finite number. */
export type CurvePoint = {
  readonly round: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
};

export interface LastRound {
  readonly round: number;
  readonly weightsSha256: string;
  /** Undefined where the round was recorded without one. */
  readonly checkpoint: CheckpointRecord | undefined;
}

export type Rounds = ReturnType<typeof createRounds>;

const finite = (n: number | null): number | null => (n !== null && Number.isFinite(n) ? n : null);

export const createRounds = (db: DatabaseSync, checkpoints: Checkpoints) => {
  const insertRound = db.prepare("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const insertRecord = db.prepare("INSERT INTO round_records (run_id, round, body) VALUES (?, ?, ?)");
  const putUpdate = db.prepare(`
    INSERT INTO client_updates (run_id, round, seq, place, device, status, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id, round, seq) DO UPDATE SET
      place = excluded.place, status = excluded.status, body = excluded.body`);
  const arrived = db.prepare(
    "SELECT seq, device FROM client_updates WHERE run_id = ? AND round = ? ORDER BY seq",
  );
  const nextSeq = db.prepare(
    "SELECT coalesce(max(seq) + 1, 0) AS seq FROM client_updates WHERE run_id = ? AND round = ?",
  );
  const updateAt = db.prepare("SELECT body FROM client_updates WHERE run_id = ? AND round = ? AND seq = ?");
  const records = db.prepare("SELECT round, body FROM round_records WHERE run_id = ? ORDER BY round");
  const record = db.prepare("SELECT body FROM round_records WHERE run_id = ? AND round = ?");
  const updatesOfRun = db.prepare(
    "SELECT round, body FROM client_updates WHERE run_id = ? AND place IS NOT NULL ORDER BY round, place",
  );
  const updatesOfRound = db.prepare(
    "SELECT place, body FROM client_updates WHERE run_id = ? AND round = ? ORDER BY place, seq",
  );
  const curve = db.prepare("SELECT round, loss, accuracy FROM rounds WHERE run_id = ? ORDER BY round");
  const last = db.prepare(
    "SELECT round, weights_sha256 FROM rounds WHERE run_id = ? ORDER BY round DESC LIMIT 1",
  );

  const recordedUpdates = (run: string, round: number): ClientUpdate[] =>
    (updatesOfRound.all(run, round) as { place: number | null; body: string }[])
      .filter((row) => row.place !== null)
      .map((row) => fromExactJson(row.body) as ClientUpdate);

  const assemble = (body: string, updates: readonly ClientUpdate[]): RoundResult => ({
    ...(fromExactJson(body) as RoundResult),
    updates,
  });

  return {
    /** Every recorded round with everything that is known of it, as it was recorded; in order. */
    of: (run: string): RoundResult[] => {
      const updates = Map.groupBy(updatesOfRun.all(run) as { round: number; body: string }[], (u) => u.round);
      return (records.all(run) as { round: number; body: string }[]).map(({ round, body }) =>
        assemble(
          body,
          (updates.get(round) ?? []).map((u) => fromExactJson(u.body) as ClientUpdate),
        ),
      );
    },
    get: (run: string, round: number): RoundResult | undefined => {
      const row = record.get(run, round) as { body: string } | undefined;
      return row && assemble(row.body, recordedUpdates(run, round));
    },
    /** The figures that a chart draws, without reading the rest of the rounds. */
    curve: (run: string): CurvePoint[] => (curve.all(run) as CurvePoint[]).map((point) => ({ ...point })),
    /** A round's updates in the order of its record; while it goes on, those that have come, in order of arrival. */
    updates: (run: string, round: number): ClientUpdate[] => {
      const rows = updatesOfRound.all(run, round) as { place: number | null; body: string }[];
      const recorded = rows.filter((row) => row.place !== null);
      return (recorded.length > 0 ? recorded : rows).map((row) => fromExactJson(row.body) as ClientUpdate);
    },
    /** The round to go on after, and the weights to go on with. */
    last: (run: string): LastRound | undefined => {
      const row = last.get(run) as { round: number; weights_sha256: string } | undefined;
      return (
        row && {
          round: row.round,
          weightsSha256: row.weights_sha256,
          checkpoint: checkpoints.get(run, row.round),
        }
      );
    },

    /** Within a transaction: adds an update that came. @returns its place in the order of arrival. */
    addUpdate: (run: string, round: number, update: ClientUpdate): number => {
      const { seq } = nextSeq.get(run, round) as { seq: number };
      putUpdate.run(run, round, seq, null, update.device, update.status, toExactJson(update));
      return seq;
    },
    updateAt: (run: string, round: number, seq: number): ClientUpdate | undefined => {
      const row = updateAt.get(run, round, seq) as { body: string } | undefined;
      return row && (fromExactJson(row.body) as ClientUpdate);
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
      insertRecord.run(run, result.round, toExactJson({ ...result, updates: [] }));
      // A device's update takes the row that it had when it came; the latest, if a crash made the round begin twice.
      const rows = arrived.all(run, result.round) as { seq: number; device: string }[];
      const seqsOf = new Map<string, number[]>();
      for (const { seq, device } of rows) seqsOf.set(device, [...(seqsOf.get(device) ?? []), seq]);
      let free = (rows.at(-1)?.seq ?? -1) + 1;
      result.updates.forEach((update, place) => {
        const seq = seqsOf.get(update.device)?.pop() ?? free++;
        putUpdate.run(run, result.round, seq, place, update.device, update.status, toExactJson(update));
      });
    },
    /** Whether exactly this round is on record. */
    holds: (run: string, result: RoundResult): boolean => {
      const row = record.get(run, result.round) as { body: string } | undefined;
      return (
        row?.body === toExactJson({ ...result, updates: [] }) &&
        toExactJson(recordedUpdates(run, result.round)) === toExactJson(result.updates)
      );
    },
  };
};
