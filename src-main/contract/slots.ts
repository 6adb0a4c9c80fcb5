/** Gives a slot back; calling it again does nothing. */
export type Release = () => void;

/** A counting semaphore: first come, first served. */
export interface Slots {
  /**
   * Resolves when a slot is free.
   * @throws the signal's reason when it aborts first; the place in the queue is then given up.
   */
  acquire(signal: AbortSignal): Promise<Release>;
  readonly free: number;
  readonly waiting: number;
}

export const createSlots = (count: number): Slots => {
  let free = count;
  const queue = new Set<(release: Release) => void>();

  const grant = (): Release => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = queue.values().next();
      if (next.done) free += 1;
      else {
        queue.delete(next.value);
        next.value(grant());
      }
    };
  };

  return {
    async acquire(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return grant();
      }
      return await new Promise<Release>((resolve, reject) => {
        const onAbort = () => {
          queue.delete(take);
          reject(signal.reason);
        };
        const take = (release: Release) => {
          signal.removeEventListener("abort", onAbort);
          resolve(release);
        };
        queue.add(take);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    get free() {
      return free;
    },
    get waiting() {
      return queue.size;
    },
  };
};
