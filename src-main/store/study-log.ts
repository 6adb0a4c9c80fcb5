import type { DatabaseSync } from "node:sqlite";
import type { EventRow, EventTable, StoredEvent } from "./events.ts";

export interface StudyLogQuery {
  readonly study: string;
  /** Only what was recorded before this event; default: all. */
  readonly before?: number;
  readonly limit: number;
}

/** From one event to another, ends included. */
type Span = readonly [number, number];

/** When the study was under way: within these spans, devices came and went for it. */
const spansOf = (newestFirst: readonly StoredEvent[], before: number, isAll: boolean): Span[] => {
  const spans: Span[] = [];
  let end: number | undefined = before - 1;
  for (const event of newestFirst) {
    if (event.kind === "study-ended") end = event.id;
    if ((event.kind === "study-started" || event.kind === "study-resumed") && end !== undefined) {
      spans.push([event.id, end]);
      end = undefined;
    }
  }
  // It began before the oldest of these: the span reaches back as far as they do.
  const oldest = newestFirst.at(-1)?.id;
  if (!isAll && end !== undefined && oldest !== undefined) spans.push([oldest, end]);
  return spans;
};

/**
 * The recorded events of a study that are sentences for a person: its own course, rounds without their updates, what
 * went wrong on a device, and who came and went meanwhile.
 */
export const createStudyLog = (db: DatabaseSync, events: EventTable) => {
  const ofStudy = db.prepare(`
    SELECT events.* FROM events LEFT JOIN client_updates AS updates
      ON events.kind = 'client-update' AND updates.run_id = events.run_id
        AND updates.round = events.round AND updates.seq = events.seq
    WHERE study_id = :study AND id < :before AND kind NOT IN ('round-started', 'waiting', 'client-progress')
      AND (kind <> 'client-update' OR updates.status <> 'folded')
    ORDER BY id DESC LIMIT :limit`);
  const ofNoStudy = db.prepare(`
    SELECT * FROM events WHERE study_id IS NULL AND id BETWEEN :from AND :to ORDER BY id DESC LIMIT :limit`);

  /** In order, the newest `limit` of them. */
  return ({ study, before = Number.MAX_SAFE_INTEGER, limit }: StudyLogQuery): StoredEvent[] => {
    const own = (ofStudy.all({ study, before, limit }) as EventRow[]).map((row) => events.read(row));
    const coming = spansOf(own, before, own.length < limit).flatMap(([from, to]) =>
      (ofNoStudy.all({ from, to, limit }) as EventRow[]).map((row) => events.read(row)),
    );
    return [...own, ...coming].sort((a, b) => a.id - b.id).slice(-limit);
  };
};
