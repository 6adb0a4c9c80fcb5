import type { Failure } from "#contract/failure.ts";

/** Why the server will find, or has found, the connection of a device broken. */
export type Mishap = Pick<Failure, "code" | "cause"> & { readonly next: string };

/** How long an explanation may come after the broken connection, in milliseconds. */
const PATIENCE_MS = 500;

export const DROPPED_OUT: Mishap = {
  code: "connection-lost",
  cause: "it dropped out in the middle of training (simulated)",
  next: "It rejoins by itself in about a second.",
};

/** @param by the device whose simulated crash takes the worker down */
export const crashedWith = (device: string, by: string): Mishap => ({
  code: "worker-crashed",
  cause:
    device === by
      ? "its worker process crashed in the middle of training (simulated)"
      : `the worker process that it shares with ${by} crashed (simulated)`,
  next: "The worker restarts and its devices rejoin by themselves.",
});

/** What the fleet knows of broken connections; the server sees only that they broke. */
export interface MishapLog {
  note(device: string, mishap: Mishap): void;
  /** The devices are well again: a connection that breaks from now on has another reason. */
  clear(devices: readonly string[]): void;
  /**
   * The failure with the real reason, if it is a connection that broke for one that the fleet knows of, or learns
   * of within half a second; else the failure as it is.
   */
  explain(failure: Failure): Promise<Failure>;
}

/** @param isMember whether a device belongs to the fleet */
export const createMishapLog = (isMember: (device: string) => boolean): MishapLog => {
  const known = new Map<string, Mishap>();
  const waiting = new Map<string, Set<() => void>>();

  const learnOf = (device: string): Promise<void> =>
    new Promise((resolve) => {
      const waiters = waiting.get(device) ?? new Set();
      waiting.set(device, waiters);
      const done = () => {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, PATIENCE_MS);
      waiters.add(done);
    });

  return {
    note(device, mishap) {
      known.set(device, mishap);
      for (const done of [...(waiting.get(device) ?? [])]) done();
    },
    clear(devices) {
      for (const device of devices) known.delete(device);
    },
    async explain(failure) {
      const { device } = failure;
      if (device === undefined || failure.code !== "connection-lost" || !isMember(device)) return failure;
      if (!known.has(device)) await learnOf(device);
      const mishap = known.get(device);
      known.delete(device);
      return mishap === undefined ? failure : { ...failure, ...mishap };
    },
  };
};
