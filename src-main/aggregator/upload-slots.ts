/** A large upload's place: asked for, then granted, then given back. */
export interface UploadSlot {
  /** Bytes came in: the peer is alive. */
  progress(): void;
  /** The message is whole; it is held until `release`, which is no longer the peer's fault. */
  arrived(): void;
  /** Gives the slot back, or the place in the queue. May be called more than once. */
  release(): void;
}

export interface UploadSlots {
  /** Queues for a slot; `onGranted` is called at once or later, never after `release`. */
  acquire(onGranted: () => void): UploadSlot;
  /** Slots that are taken, and uploads that wait. */
  readonly taken: number;
  readonly waiting: number;
}

interface Entry {
  readonly onGranted: () => void;
  granted: boolean;
  arrived: boolean;
  /** Its slot was lent to another because nothing came for a while. */
  lent: boolean;
  lastProgress: number;
}

/**
 * So many large messages may be in memory at once, first come, first served.
 *
 * A peer that stops sending in the middle (a board out of reach, not yet noticed) would block everybody behind it:
 * after `stallMs` without a byte its slot is lent to the next in the queue. At most `count` slots are lent, so
 * memory stays bounded by 2 × count messages even with nothing but dead peers.
 */
export const createUploadSlots = (
  count: number,
  stallMs = 10_000,
  now: () => number = () => performance.now(),
): UploadSlots => {
  const granted = new Set<Entry>();
  const queue = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;

  const lentOut = (): number => [...granted].filter((e) => e.lent).length;

  const lendStalled = (): void => {
    for (const entry of granted) {
      const stalled = !entry.arrived && now() - entry.lastProgress >= stallMs;
      if (stalled && !entry.lent && lentOut() < count) entry.lent = true;
    }
    grantNext();
  };

  const watch = (): void => {
    if (queue.size > 0 && timer === undefined) {
      timer = setInterval(lendStalled, Math.max(20, Math.min(1000, stallMs / 4)));
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
      entry.granted = true;
      entry.lastProgress = now();
      entry.onGranted();
    }
    watch();
  };

  return {
    acquire: (onGranted) => {
      const entry: Entry = { onGranted, granted: false, arrived: false, lent: false, lastProgress: 0 };
      queue.add(entry);
      grantNext();
      return {
        progress: () => {
          entry.lastProgress = now();
          entry.lent = false;
        },
        arrived: () => {
          entry.arrived = true;
          entry.lent = false;
        },
        release: () => {
          if (!granted.delete(entry) && !queue.delete(entry)) return;
          grantNext();
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
