import { setImmediate, setTimeout } from "node:timers/promises";
import type { LabEvent } from "#contract/events.ts";
import type { StreamBatch, StreamItem } from "#contract/views.ts";
import { page } from "./base.ts";
import { createEventBuffer, MOST_WAITING } from "./event-buffer.ts";

/** Recorded events per read: a long read would hold up everything else. */
const PAGE = 500;
const BATCH_MS = 50;
const HEARTBEAT_MS = 10_000;

export interface EventPorts {
  /** Every event from now on, in order; recorded ones come with their number. */
  subscribe(listener: (item: StreamItem) => void): () => void;
  /** The first `limit` recorded events after one. */
  recorded(after: number, limit: number): readonly (LabEvent & { readonly id: number })[];
  /** How many events were recorded after one; counts up to `most`. */
  countAfter(after: number, most: number): number;
  /** Number of the last recorded event. */
  cursor(): number;
  /** Aborted when the lab closes. */
  readonly closed: AbortSignal;
}

export const eventHandlers = (ports: EventPorts) => ({
  follow: page.events.follow.handler(({ input, signal }) => follow(ports, input.after, signal)),
});

/**
 * First the events that were recorded after `after`, then new ones as they happen, in batches. A page that reconnects
 * with the cursor of its last batch gets every recorded event exactly once.
 */
export async function* follow(
  ports: EventPorts,
  after: number,
  asker: AbortSignal | undefined,
): AsyncGenerator<StreamBatch, void, void> {
  const signal = asker === undefined ? ports.closed : AbortSignal.any([asker, ports.closed]);
  const buffer = createEventBuffer();
  let wake = () => {};
  // Subscribe before reading the record: what is recorded meanwhile is then in at least one of them.
  const unsubscribe = ports.subscribe((item) => {
    buffer.add(item);
    wake();
  });
  const wakeUp = () => wake();
  signal.addEventListener("abort", wakeUp);
  try {
    let cursor = after;
    if (after > ports.cursor() || ports.countAfter(after, MOST_WAITING + 1) > MOST_WAITING) {
      cursor = ports.cursor();
      buffer.dropUpTo(cursor);
      yield { cursor, items: [], reset: true };
    } else {
      for (;;) {
        const events = ports.recorded(cursor, PAGE);
        const last = events.at(-1);
        if (last === undefined) break;
        cursor = last.id;
        yield { cursor, items: events.map(({ id, ...event }) => ({ id, event: event as LabEvent })) };
        if (signal.aborted) return;
        await setImmediate();
      }
      buffer.dropUpTo(cursor);
    }
    while (!signal.aborted) {
      if (buffer.isEmpty) await somethingWithin(HEARTBEAT_MS);
      if (signal.aborted) break;
      const batch = buffer.take(cursor, ports.cursor);
      cursor = batch.cursor;
      yield batch;
      if (!signal.aborted) await pause(BATCH_MS, signal);
    }
    // The lab is closing: the page still sees how it ended.
    if (!asker?.aborted && !buffer.isEmpty) yield buffer.take(cursor, () => cursor);
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", wakeUp);
  }

  function somethingWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        wake = () => {};
        resolve();
      };
      const timer = globalThis.setTimeout(done, ms);
      wake = done;
    });
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  setTimeout(ms, undefined, { signal }).catch(() => {});
