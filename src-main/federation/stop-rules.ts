/** When a round closes and when a run ends. Pure: the caller holds the clock. */
import { gainOf, type Metric, type MetricValues } from "#contract/metrics.ts";
import type { Study } from "#contract/study.ts";
import { meets, readTarget } from "#contract/target.ts";

type Stop = Study["stop"];

export interface RoundStatus {
  /** Clients that were asked. */
  readonly drawn: number;
  /** Updates in the sum so far. */
  readonly aggregated: number;
  /** Clients that have neither answered nor failed. */
  readonly pending: number;
  readonly elapsedMs: number;
  /** Time since the `minUpdates`-th update was aggregated; undefined before that. */
  readonly sinceMinUpdatesMs: number | undefined;
  readonly stop: Stop;
}

/**
 * A round closes when no client is pending, when `minUpdates` updates are in and `graceSeconds` have passed since, or
 * at its deadline: whichever comes first.
 * @returns `waitMs`: the answer changes by itself after this time; absent where only an arrival can change it.
 */
export const roundShouldClose = (status: RoundStatus): { close: boolean; waitMs?: number } => {
  const { pending, aggregated, elapsedMs, sinceMinUpdatesMs, stop } = status;
  if (pending <= 0) return { close: true };
  const waits: number[] = [];
  if (stop.deadlineSeconds !== undefined) waits.push(stop.deadlineSeconds * 1000 - elapsedMs);
  if (stop.minUpdates !== undefined && aggregated >= stop.minUpdates) {
    waits.push(stop.graceSeconds * 1000 - (sinceMinUpdatesMs ?? 0));
  }
  if (waits.length === 0) return { close: false };
  const waitMs = Math.min(...waits);
  return waitMs <= 0 ? { close: true } : { close: false, waitMs };
};

export interface RoundFigures {
  /** By metric; null where one was not measured. */
  readonly metrics: MetricValues;
}

/**
 * A run ends when its last round meets the target, or when `patience` rounds in a row were no better than the best
 * before them: by the first of the metrics that any round knows; never where none is known.
 * @param input.rounds the finished rounds in order, from round 1.
 * @param input.metrics the task's, the primary one first.
 * @returns `reason`: one sentence for the record.
 * @throws Error for a target that the study's schema would have refused.
 */
export const runShouldStop = (input: {
  readonly rounds: readonly RoundFigures[];
  readonly stop: Stop;
  readonly metrics: readonly Pick<Metric, "id" | "better">[];
}): { stop: boolean; reason?: string } => {
  const { rounds, stop } = input;
  const last = rounds.at(-1);
  if (last === undefined) return { stop: false };
  const met = stop.target === undefined ? undefined : targetMet(stop.target, last);
  if (met !== undefined) return { stop: true, reason: met };
  const late = stop.patience === undefined ? undefined : patienceLost(stop.patience, rounds, input.metrics);
  return late === undefined ? { stop: false } : { stop: true, reason: late };
};

const valueIn = ({ metrics }: RoundFigures, id: string): number | null =>
  Object.hasOwn(metrics, id) ? (metrics[id] ?? null) : null;

const targetMet = (text: string, round: RoundFigures): string | undefined => {
  const target = readTarget(text);
  if (target === undefined) throw new Error(`not a target: ${text}`);
  const { metric, comparison } = target;
  const value = valueIn(round, metric);
  if (value === null || !meets(target, value)) return undefined;
  return `${metric} ${shown(value)} meets the target ${metric} ${comparison} ${target.value}`;
};

const patienceLost = (
  patience: number,
  rounds: readonly RoundFigures[],
  metrics: readonly Pick<Metric, "id" | "better">[],
): string | undefined => {
  const metric = metrics.find(({ id }) => rounds.some((round) => valueIn(round, id) !== null));
  if (metric === undefined) return undefined;
  let best: number | undefined;
  let bestAt = -1;
  rounds.forEach((round, i) => {
    const value = valueIn(round, metric.id);
    if (value === null || Number.isNaN(value)) return;
    if (best === undefined || gainOf(metric, value, best) > 0) {
      best = value;
      bestAt = i;
    }
  });
  const since = rounds.length - 1 - bestAt;
  if (best === undefined || since < patience) return undefined;
  return `no better ${metric.id} than ${shown(best)} (round ${bestAt + 1}) in ${since} round${since === 1 ? "" : "s"}`;
};

const shown = (value: number): string => String(Number(value.toFixed(4)));
