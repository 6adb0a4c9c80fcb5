import type { StreamBatch, StreamItem } from "#contract/views.ts";

/** So many items may wait for a slow page; beyond, it is told to load anew. */
export const MOST_WAITING = 5000;

const isProgress = ({ event }: StreamItem): boolean => event.kind === "client-progress";

/** What is told whole each time, a device's progress within a phase, say, is of use only as it was last. */
const latestKey = ({ event }: StreamItem): string | undefined => {
  switch (event.kind) {
    case "client-progress":
      return `${event.kind} ${event.run} ${event.round} ${event.phase} ${event.device}`;
    case "board":
      return `${event.kind} ${event.device}`;
    case "board-step":
      return `${event.kind} ${event.step.id} ${event.device}`;
    default:
      return undefined;
  }
};

/** What happened since a page was last told: bounded, whatever the page does. */
export const createEventBuffer = () => {
  /** In order; what replaces an earlier one has a text for its key, all others a number. */
  let items = new Map<string | number, StreamItem>();
  let next = 0;
  let overflowed = false;
  return {
    add(item: StreamItem): void {
      if (overflowed) return;
      const key = latestKey(item) ?? next++;
      // the later one comes behind whatever happened in between
      items.delete(key);
      items.set(key, item);
      if (items.size <= MOST_WAITING) return;
      overflowed = true;
      items = new Map();
    },
    get isEmpty(): boolean {
      return items.size === 0 && !overflowed;
    },
    /** Forgets what the record has told already: everything up to `cursor`, and the progress that led there. */
    dropUpTo(cursor: number): void {
      const all = [...items.entries()];
      const last = all.findLastIndex(([, item]) => item.id !== undefined && item.id <= cursor);
      items = new Map(
        all.filter(
          ([, item], i) =>
            i > last ||
            (item.id === undefined ? !isProgress(item) && item.event.kind !== "waiting" : item.id > cursor),
        ),
      );
    },
    /**
     * Takes all that waits.
     * @param cursor of the batch before
     * @param latest the number of the last recorded event: where a page that missed too much goes on
     */
    take(cursor: number, latest: () => number): StreamBatch {
      if (overflowed) {
        overflowed = false;
        return { cursor: latest(), items: [], reset: true };
      }
      const taken = [...items.values()];
      items = new Map();
      return { cursor: taken.findLast(({ id }) => id !== undefined)?.id ?? cursor, items: taken };
    },
  };
};
