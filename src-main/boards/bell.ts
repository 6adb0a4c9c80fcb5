/** A signal that can come many times, and waits that end with it. */
export interface Bell {
  /** Ends every wait that is in progress. */
  ring(): void;
  /** Waits this long, or until it rings. */
  rest(ms?: number): Promise<void>;
  /** Waits until `holds` is true; checked now and whenever it rings. */
  until(holds: () => boolean): Promise<void>;
  /** Calls `listener` once, when it rings next. @returns a function that cancels that */
  onRing(listener: () => void): () => void;
}

export const createBell = (): Bell => {
  const waiting = new Set<() => void>();

  const onRing = (listener: () => void): (() => void) => {
    const wake = (): void => listener();
    waiting.add(wake);
    return () => waiting.delete(wake);
  };
  const rest = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), ms).unref();
      const cancel = onRing(() => wake());
      const wake = (): void => {
        clearTimeout(timer);
        cancel();
        resolve();
      };
    });

  return {
    ring() {
      const all = [...waiting];
      waiting.clear();
      for (const wake of all) wake();
    },
    rest,
    async until(holds) {
      while (!holds()) await rest();
    },
    onRing,
  };
};
