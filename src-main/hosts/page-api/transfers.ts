import type { Transfer } from "#contract/views.ts";

/** How far apart the news of one transfer's progress are: four a second. */
const APART_MS = 250;

/** Downloads and registrations, one per data set at a time, and how the last download of each went. */
export const createTransfers = (
  tell: (transfer: Transfer) => void,
  now: () => number = () => performance.now(),
) => {
  const known = new Map<string, Transfer>();
  const toldAt = new Map<string, number>();

  const set = (transfer: Transfer): void => {
    // who asked for a registration gets its end as the answer; a download has only this list to say it
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
    /** @returns what to call with its progress, and once at its end */
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
