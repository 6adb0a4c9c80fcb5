import type { DatabaseSync } from "node:sqlite";
import type { LabEvent } from "#contract/events.ts";
import { fromExactJson, toExactJson } from "./exact-json.ts";
import type { RoundTable } from "./rounds.ts";
import type { UpdateTable } from "./updates.ts";

/** An event with its number in the stream; numbers grow and are never given twice. */
export type StoredEvent = LabEvent & { readonly id: number };

export interface EventQuery {
  /** Only events after this one. */
  readonly after?: number;
  /** Only events of this study. */
  readonly study?: string;
  /** The first events, at most this many. */
  readonly limit: number;
}

/** What an event is about, as far as it is about anything. */
export interface EventSubject {
  readonly study?: string;
  readonly run?: string;
  readonly round?: number;
  /** Of a client-update: where the rest of it is kept. */
  readonly seq?: number;
}

export type EventRow = {
  id: number;
  run_id: string | null;
  round: number | null;
  seq: number | null;
  body: string;
};

export type EventTable = ReturnType<typeof createEventTable>;

/**
 * The stream as it was recorded. Updates and round results are not kept twice: an event that carries one is put
 * together from the row that holds it, so an update shows what became known of it by the end of its round.
 */
export const createEventTable = (db: DatabaseSync, updates: UpdateTable, rounds: RoundTable) => {
  const insert = db.prepare(
    "INSERT INTO events (at, kind, study_id, run_id, round, seq, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
  );
  const after = db.prepare("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?");
  const ofStudy = db.prepare("SELECT * FROM events WHERE study_id = ? AND id > ? ORDER BY id LIMIT ?");

  // What the sequence says, not the last row: the number of a deleted event is not reused.
  const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
  const countAfter = db.prepare("SELECT count(*) AS n FROM (SELECT 1 FROM events WHERE id > ? LIMIT ?)");

  const toEvent = (row: EventRow): StoredEvent => {
    const event = fromExactJson(row.body) as LabEvent;
    const [run, round] = [row.run_id ?? "", row.round ?? -1];
    if (event.kind === "client-update") {
      return { ...event, update: updates.get(run, round, row.seq ?? -1)!, id: row.id };
    }
    if (event.kind === "round-ended") return { ...event, result: rounds.summary(run, round)!, id: row.id };
    return { ...event, id: row.id };
  };

  return {
    /** Within a transaction. @returns the event's number. */
    append: (event: LabEvent, subject: EventSubject): number => {
      const { study, run, round, seq } = subject;
      const body =
        event.kind === "client-update"
          ? { ...event, update: null }
          : event.kind === "round-ended"
            ? { ...event, result: null }
            : event;
      const { lastInsertRowid } = insert.run(
        event.at,
        event.kind,
        study ?? null,
        run ?? null,
        round ?? null,
        seq ?? null,
        toExactJson(body),
      );
      return Number(lastInsertRowid);
    },
    /** In order. */
    list: ({ after: id = 0, study, limit }: EventQuery): StoredEvent[] =>
      ((study === undefined ? after.all(id, limit) : ofStudy.all(study, id, limit)) as EventRow[]).map(
        toEvent,
      ),
    read: toEvent,
    /** Number of the last event that was recorded; 0 before the first. */
    last: (): number => (last.get() as { seq: number } | undefined)?.seq ?? 0,
    /** How many events came after one, counted up to `most`. */
    countAfter: (id: number, most: number): number => (countAfter.get(id, most) as { n: number }).n,
  };
};
