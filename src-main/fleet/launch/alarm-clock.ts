/** Waiting that somebody can end. */
export interface AlarmClock {
  /** Ends every wait that is under way. */
  ring(): void;
  /** Waits so long, or until it rings. */
  rest(ms?: number): Promise<void>;
  /** Waits until `holds` is true; looked at now and whenever it rings. */
  until(holds: () => boolean): Promise<void>;
}

export const createAlarmClock = (): AlarmClock => {
  let next = Promise.withResolvers<void>();

  const rest = async (ms?: number): Promise<void> => {
    const late = Promise.withResolvers<void>();
    const timer = ms === undefined ? undefined : setTimeout(late.resolve, ms);
    timer?.unref();
    await Promise.race([late.promise, next.promise]);
    clearTimeout(timer);
  };

  return {
    ring() {
      next.resolve();
      next = Promise.withResolvers();
    },
    rest,
    async until(holds) {
      while (!holds()) await rest();
    },
  };
};
