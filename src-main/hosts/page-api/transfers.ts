import type { Transfer } from "#contract/views.ts";

/** Shortest time between two progress notices of one transfer. */
const APART_MS = 250;

/** Downloads and registrations, one at a time per data set, and how the last download of each ended. */
export const createTransfers = (
  tell: (transfer: Transfer) => void,
  now: () => number = () => performance.now(),
) => {
  const known = new Map<string, Transfer>();
  const toldAt = new Map<string, number>();

  const set = (transfer: Transfer): void => {
    // a registration's end is its answer; that of a failed download is shown from this list
    if (transfer.state === "done" || (transfer.what === "register" && transfer.state !== "running")) {
      known.delete(transfer.name);
    } else known.set(transfer.name, transfer);
    toldAt.set(transfer.name, now());
    tell(transfer);
  };

  return {
    list: (): readonly Transfer[] => [...known.values()],
    running: (name: string): Transfer | undefined => {
      const transfer = known.get(name);
      return transfer?.state === "running" ? transfer : undefined;
    },
    /** @returns functions to call with its progress, and once at its end */
    start: (name: string, what: Transfer["what"]) => {
      let current: Transfer = { name, what, state: "running", startedAt: new Date().toISOString() };
      set(current);
      return {
        progress(done: number, total: number): void {
          current = { ...current, done, total };
          known.set(name, current);
          if (now() - (toldAt.get(name) ?? 0) >= APART_MS) set(current);
        },
        end(state: "done" | "failed" | "stopped", problem?: string): void {
          current = { ...current, state, ...(problem === undefined ? {} : { problem }) };
          set(current);
        },
      };
    },
    forget: (name: string): void => void known.delete(name),
  };
};
