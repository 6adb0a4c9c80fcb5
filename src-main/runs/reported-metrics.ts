import type { ClientEvaluation, RefusedMetric } from "#contract/events.ts";
import {
  isKnownMetric,
  METRIC_NAME,
  type Metric,
  type MetricValues,
  MOST_REPORTED_METRICS,
  metricOf,
  type ReportedMetrics,
} from "#contract/metrics.ts";
import type { Config } from "#main/wire/protocol.ts";

/** What answers of our own clients contain besides metrics: who answered, how long it took. */
const NO_METRICS: ReadonlySet<string> = new Set(["device", "correct", "compute_ms", "loss"]);

/** What a client reported, sorted. */
export interface Sorted {
  /** By name; finite, in their range. */
  readonly metrics: Readonly<Record<string, number>>;
  /** One sentence each, without the client's and the metric's name. */
  readonly refused: readonly { readonly name: string; readonly cause: string }[];
}

/**
 * Sorts what a client reported from an evaluation into metrics and values that cannot be one. Whatever it reports, its
 * evaluation and those of the others still count.
 * @param described metrics that the study file describes
 */
export const sortReported = (reported: Config, described: ReportedMetrics = {}): Sorted => {
  const metrics: [string, number][] = [];
  const refused: { name: string; cause: string }[] = [];
  for (const [name, value] of Object.entries(reported)) {
    if (NO_METRICS.has(name)) continue;
    const cause = problemWith(name, value, metricOf(name, described), metrics.length);
    if (cause === undefined) metrics.push([name, Number(value)]);
    else refused.push({ name: name.slice(0, 60), cause });
  }
  return { metrics: Object.fromEntries(metrics), refused };
};

const problemWith = (
  name: string,
  value: Config[string],
  { range }: Metric,
  before: number,
): string | undefined => {
  if (!METRIC_NAME.test(name)) {
    return "a metric's name has up to 60 letters, digits or _ . @ / - and starts with a letter";
  }
  if (typeof value === "string") return "it is text, not a number";
  if (typeof value === "boolean") return "it is true or false, not a number";
  if (value instanceof Uint8Array) return "it is bytes, not a number";
  const number = Number(value);
  if (!Number.isFinite(number)) return `it is ${number}, not a finite number`;
  if (range !== undefined && (number < range[0] || number > range[1])) {
    return `${number} is outside ${range[0]} to ${range[1]}`;
  }
  if (!isKnownMetric(name) && before >= MOST_REPORTED_METRICS) {
    return `a client may report at most ${MOST_REPORTED_METRICS} metrics`;
  }
  return undefined;
};

/** Why a metric beyond the limit is refused: the fault of no single client. */
export const TOO_MANY = `the clients of a run together may report at most ${MOST_REPORTED_METRICS} metrics`;

/**
 * The names that a run keeps so far: those that its study file describes, then those that its rounds have.
 * @param rounds in order
 */
export const keptNames = (
  described: ReportedMetrics | undefined,
  rounds: readonly { readonly metrics: MetricValues }[],
): Set<string> => {
  const names = rounds.flatMap(({ metrics }) => Object.keys(metrics));
  return new Set([...Object.keys(described ?? {}), ...names.filter((name) => !isKnownMetric(name))]);
};

/**
 * Holds what a round's clients report to `MOST_REPORTED_METRICS` metrics per run: each client alone may stay within
 * the limit while all of them together do not. New names are admitted in the order of devices, then of names, so the
 * choice does not depend on who answers first.
 * @param evaluations sorted by device @param kept names admitted so far in the run; new ones are added
 */
export const holdToMost = (
  evaluations: readonly ClientEvaluation[],
  kept: Set<string>,
): { readonly evaluations: readonly ClientEvaluation[]; readonly refused: readonly RefusedMetric[] } => {
  const refused: RefusedMetric[] = [];
  const admit = (device: string, name: string): boolean => {
    if (isKnownMetric(name) || kept.has(name)) return true;
    if (kept.size >= MOST_REPORTED_METRICS) {
      refused.push({ device, name, cause: TOO_MANY });
      return false;
    }
    kept.add(name);
    return true;
  };
  const held = evaluations.map((one) => {
    const names = Object.keys(one.metrics).sort();
    const admitted = new Set(names.filter((name) => admit(one.device, name)));
    const metrics = Object.entries(one.metrics).filter(([name]) => admitted.has(name));
    return { ...one, metrics: Object.fromEntries(metrics) };
  });
  return { evaluations: held, refused };
};
