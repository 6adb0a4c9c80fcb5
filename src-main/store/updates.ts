import type { DatabaseSync } from "node:sqlite";
import type { ClientUpdate, RoundResult } from "#contract/events.ts";
import { fromExactJson, toExactJson } from "./exact-json.ts";

type UpdateRow = { round: number; place: number | null; body: string };

const toUpdate = (row: { body: string }): ClientUpdate => fromExactJson(row.body) as ClientUpdate;

export type UpdateTable = ReturnType<typeof createUpdateTable>;

/**
 * What devices sent back, by run, round and order of arrival. A round's record takes its updates in; those that
 * came after it, or before a crash that made the round start again, stay events.
 */
export const createUpdateTable = (db: DatabaseSync) => {
  const put = db.prepare(`
    INSERT INTO client_updates (run_id, round, seq, place, device, status, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run_id, round, seq) DO UPDATE SET
      place = excluded.place, status = excluded.status, body = excluded.body`);
  const arrived = db.prepare(
    "SELECT seq, device FROM client_updates WHERE run_id = ? AND round = ? ORDER BY seq",
  );
  const nextSeq = db.prepare(
    "SELECT coalesce(max(seq) + 1, 0) AS seq FROM client_updates WHERE run_id = ? AND round = ?",
  );
  const one = db.prepare("SELECT body FROM client_updates WHERE run_id = ? AND round = ? AND seq = ?");
  const ofRun = db.prepare(
    "SELECT round, body FROM client_updates WHERE run_id = ? AND place IS NOT NULL ORDER BY round, place",
  );
  const ofRound = db.prepare(
    "SELECT round, place, body FROM client_updates WHERE run_id = ? AND round = ? ORDER BY place, seq",
  );

  return {
    /** Within a transaction: adds an update that came. @returns its place in the order of arrival. */
    add: (run: string, round: number, update: ClientUpdate): number => {
      const { seq } = nextSeq.get(run, round) as { seq: number };
      put.run(run, round, seq, null, update.device, update.status, toExactJson(update));
      return seq;
    },
    get: (run: string, round: number, seq: number): ClientUpdate | undefined => {
      const row = one.get(run, round, seq) as { body: string } | undefined;
      return row && toUpdate(row);
    },
    /** Within a transaction: a round's record takes in its updates, as they were known when it ended. */
    takeIn: (run: string, { round, updates }: Pick<RoundResult, "round" | "updates">): void => {
      // A device's update takes the row that it had when it came; the latest, if a crash made the round start twice.
      const rows = arrived.all(run, round) as { seq: number; device: string }[];
      const seqsOf = Map.groupBy(rows, (row) => row.device);
      let free = (rows.at(-1)?.seq ?? -1) + 1;
      updates.forEach((update, place) => {
        const seq = seqsOf.get(update.device)?.pop()?.seq ?? free++;
        put.run(run, round, seq, place, update.device, update.status, toExactJson(update));
      });
    },
    /** Those of a round's record, in its order. */
    recorded: (run: string, round: number): ClientUpdate[] =>
      (ofRound.all(run, round) as UpdateRow[]).filter((row) => row.place !== null).map(toUpdate),
    /** Those of all records of a run, by round. */
    recordedByRound: (run: string): Map<number, ClientUpdate[]> => {
      const byRound = Map.groupBy(ofRun.all(run) as UpdateRow[], (row) => row.round);
      return new Map(Array.from(byRound, ([round, rows]) => [round, rows.map(toUpdate)]));
    },
    /** As `recorded`; while the round goes on, those that have come, in order of arrival. */
    soFar: (run: string, round: number): ClientUpdate[] => {
      const rows = ofRound.all(run, round) as UpdateRow[];
      const recorded = rows.filter((row) => row.place !== null);
      return (recorded.length > 0 ? recorded : rows).map(toUpdate);
    },
  };
};
