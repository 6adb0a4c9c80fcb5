import { setImmediate } from "node:timers/promises";

/** Runs a generator of the pure rooms to its end; other work gets its turn at every yield. */
export const drive = async <T>(steps: Generator<void, T>): Promise<T> => {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await setImmediate();
  }
};
