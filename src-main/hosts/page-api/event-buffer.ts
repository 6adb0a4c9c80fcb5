import type { StreamBatch, StreamItem } from "#contract/views.ts";

/** This many items may wait for a slow page; beyond that, the page is told to reload everything. */
export const MOST_WAITING = 5000;

const isProgress = ({ event }: StreamItem): boolean => event.kind === "client-progress";

/** Of items that replace each other, such as a device's progress in a phase, only the latest matters. */
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

/** What has happened since a page's last batch. Its size is bounded, however slow the page is. */
export const createEventBuffer = () => {
  /** In order. Items that replace an earlier one have a text as key, all others a number. */
  let items = new Map<string | number, StreamItem>();
  let next = 0;
  let overflowed = false;
  return {
    add(item: StreamItem): void {
      if (overflowed) return;
      const key = latestKey(item) ?? next++;
      // the later one goes to the end, behind what happened in between
      items.delete(key);
      items.set(key, item);
      if (items.size <= MOST_WAITING) return;
      overflowed = true;
      items = new Map();
    },
    get isEmpty(): boolean {
      return items.size === 0 && !overflowed;
    },
    /** Drops what the page has from the record: everything up to `cursor`, and the progress that led there. */
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
     * Takes everything that waits.
     * @param cursor of the previous batch
     * @param latest the number of the last recorded event: where a page that missed too much continues
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
