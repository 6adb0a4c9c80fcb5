/** Waiting that somebody can end. */
export interface AlarmClock {
  /** Ends every wait that is under way. */
  ring(): void;
  /** Waits so long, or until it rings. */
  rest(ms?: number): Promise<void>;
  /** Waits until `holds` is true; looked at now and whenever it rings. */
  until(holds: () => boolean): Promise<void>;
  /** Calls `listener` once, when it rings next. @returns does not */
  onRing(listener: () => void): () => void;
}

export const createAlarmClock = (): AlarmClock => {
  const waiting = new Set<() => void>();

  const onRing = (listener: () => void): (() => void) => {
    const wake = (): void => listener();
    waiting.add(wake);
    return () => waiting.delete(wake);
  };
  const rest = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(() => wake(), ms).unref();
      const forget = onRing(() => wake());
      const wake = (): void => {
        clearTimeout(timer);
        forget();
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
