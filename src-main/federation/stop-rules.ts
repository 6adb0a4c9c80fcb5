/** When a round closes and when a run ends. Pure: the caller holds the clock. */
import type { Study } from "#contract/study.ts";

type Stop = Study["stop"];

export interface RoundStatus {
  /** Clients that were asked. */
  readonly drawn: number;
  /** Updates in the sum so far. */
  readonly folded: number;
  /** Clients that have neither answered nor failed. */
  readonly pending: number;
  readonly elapsedMs: number;
  /** Time since the `minUpdates`-th update was folded; undefined before that. */
  readonly sinceMinUpdatesMs: number | undefined;
  readonly stop: Stop;
}

/**
 * A round closes when nobody is pending, when `minUpdates` updates are in and `graceSeconds` have passed since, or
 * at its deadline: whichever comes first.
 * @returns `waitMs`: after so long the answer changes by itself; absent where only an arrival can change it.
 */
export const roundShouldClose = (status: RoundStatus): { close: boolean; waitMs?: number } => {
  const { pending, folded, elapsedMs, sinceMinUpdatesMs, stop } = status;
  if (pending <= 0) return { close: true };
  const waits: number[] = [];
  if (stop.deadlineSeconds !== undefined) waits.push(stop.deadlineSeconds * 1000 - elapsedMs);
  if (stop.minUpdates !== undefined && folded >= stop.minUpdates) {
    waits.push(stop.graceSeconds * 1000 - (sinceMinUpdatesMs ?? 0));
  }
  if (waits.length === 0) return { close: false };
  const waitMs = Math.min(...waits);
  return waitMs <= 0 ? { close: true } : { close: false, waitMs };
};

export interface RoundFigures {
  /** 0 … 1, or null where it was not measured. */
  readonly accuracy: number | null;
  /** Mean cross-entropy in nats, or null where it was not measured. */
  readonly loss: number | null;
}

const TARGET = /^\s*(accuracy|loss)\s*(>=|<=)\s*(\d+(?:\.\d+)?)\s*$/;

/**
 * A run ends when its last round meets the target, or when `patience` rounds in a row were no better than the best
 * before them (by accuracy; by loss where no round knows an accuracy; never where neither is known).
 * @param input.rounds the finished rounds in order, from round 1.
 * @returns `reason`: one sentence for the record.
 * @throws Error for a target that the study's schema would have refused.
 */
export const runShouldStop = (input: {
  readonly rounds: readonly RoundFigures[];
  readonly stop: Stop;
}): { stop: boolean; reason?: string } => {
  const { rounds, stop } = input;
  const last = rounds.at(-1);
  if (last === undefined) return { stop: false };
  if (stop.target !== undefined) {
    const parts = TARGET.exec(stop.target);
    if (parts === null) throw new Error(`not a target: ${stop.target}`);
    const metric = parts[1] as "accuracy" | "loss";
    const bound = Number(parts[3]);
    const value = last[metric];
    if (value !== null && (parts[2] === ">=" ? value >= bound : value <= bound)) {
      return {
        stop: true,
        reason: `${metric} ${shown(value)} meets the target ${metric} ${parts[2]} ${bound}`,
      };
    }
  }
  if (stop.patience !== undefined) {
    const metric = rounds.some((r) => r.accuracy !== null) ? "accuracy" : "loss";
    let best: number | undefined;
    let bestAt = -1;
    rounds.forEach((figures, i) => {
      const value = figures[metric];
      if (value === null || Number.isNaN(value)) return;
      if (best === undefined || (metric === "accuracy" ? value > best : value < best)) {
        best = value;
        bestAt = i;
      }
    });
    const since = rounds.length - 1 - bestAt;
    if (best !== undefined && since >= stop.patience) {
      return {
        stop: true,
        reason: `no better ${metric} than ${shown(best)} (round ${bestAt + 1}) in ${since} round${since === 1 ? "" : "s"}`,
      };
    }
  }
  return { stop: false };
};

const shown = (value: number): string => String(Number(value.toFixed(4)));
