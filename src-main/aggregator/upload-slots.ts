/** The slot of one large upload: queued for, then granted, then given back. */
export interface UploadSlot {
  /** Bytes have come in. */
  progress(bytes: number): void;
  /** The message is whole: how long it is held until `release` says nothing about the peer's pace. */
  arrived(): void;
  /** Gives the slot back, or the place in the queue. May be called more than once. */
  release(): void;
}

export interface UploadSlots {
  /** Queues for a slot; `onGranted` is called at once or later, never after `release`. */
  acquire(onGranted: () => void): UploadSlot;
  /** Slots in use, and uploads that wait. */
  readonly taken: number;
  readonly waiting: number;
}

interface Entry {
  readonly onGranted: () => void;
  arrived: boolean;
  /** Its slot was lent to another because it is slow. */
  lent: boolean;
  /** Bytes since `since`, when its pace was last measured. */
  bytes: number;
  since: number;
}

/** Below this pace it is the peer's link that limits, not this computer: others may use it meanwhile. */
const SLOW_BYTES_PER_SECOND = 8_000_000;
const LOOK_EVERY_MS = 500;
/** A pace is judged over no less than this. */
const PACE_MS = 1000;
/** Slow uploads that may be in memory beside the regular ones, per slot. */
const LENT_PER_SLOT = 3;

/**
 * Limits how many large messages may be in memory at once; first come, first served.
 *
 * While others wait, a slot whose peer is slow (a board on a weak link, or one out of reach that is not yet noticed)
 * is lent to the next in the queue, or boards whose links could all be busy at once would wait for each other. At most
 * three times `count` slots are lent: memory stays bounded by 4 × count messages, whatever the peers do.
 *
 * @param now milliseconds of a clock that never jumps
 */
export const createUploadSlots = (
  count: number,
  now: () => number = () => performance.now(),
): UploadSlots => {
  const granted = new Set<Entry>();
  const queue = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;

  const lentOut = (): number => [...granted].filter((e) => e.lent).length;

  /** Measures the pace of every upload, and lends the slots of the slow ones. */
  const look = (): void => {
    for (const entry of granted) {
      const elapsed = now() - entry.since;
      if (entry.arrived || elapsed < PACE_MS) continue;
      const slow = (1000 * entry.bytes) / elapsed < SLOW_BYTES_PER_SECOND;
      entry.lent = slow && (entry.lent || lentOut() < LENT_PER_SLOT * count);
      entry.bytes = 0;
      entry.since = now();
    }
    grantNext();
  };

  const watch = (): void => {
    if (queue.size > 0 && timer === undefined) {
      timer = setInterval(look, LOOK_EVERY_MS);
      timer.unref();
    } else if (queue.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };

  const grantNext = (): void => {
    for (const entry of queue) {
      if (granted.size - lentOut() >= count) break;
      queue.delete(entry);
      granted.add(entry);
      entry.since = now();
      entry.onGranted();
    }
    watch();
  };

  return {
    acquire: (onGranted) => {
      const entry: Entry = { onGranted, arrived: false, lent: false, bytes: 0, since: now() };
      queue.add(entry);
      grantNext();
      return {
        progress: (bytes) => {
          entry.bytes += bytes;
        },
        arrived: () => {
          entry.arrived = true;
        },
        release: () => {
          if (granted.delete(entry) || queue.delete(entry)) grantNext();
        },
      };
    },
    get taken() {
      return granted.size;
    },
    get waiting() {
      return queue.size;
    },
  };
};
