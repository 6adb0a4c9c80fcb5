import { z } from "zod";

/** How a number is shown: "%" a share 0–1 as percent · "nats" · "" a plain number. */
export const METRIC_UNITS = ["%", "nats", ""] as const;
export type MetricUnit = (typeof METRIC_UNITS)[number];

/** A number that a round is judged by. */
export interface Metric {
  /** What it is called in study files, records and exports. */
  readonly id: string;
  /** What people read: "Accuracy". */
  readonly title: string;
  readonly unit: MetricUnit;
  readonly better: "higher" | "lower";
  /** What guessing gets; null where that is not known. */
  readonly chance: number | null;
  /** The values that are possible, ends included; a client that reports another one is refused. */
  readonly range?: readonly [least: number, most: number];
}

/** A metric of the lab's own, before the data are known. */
export interface MetricDefinition extends Omit<Metric, "chance"> {
  /** @param classes how many classes the data have; 0 where that is not known or differs */
  readonly chance?: (classes: number) => number | null;
}

/** The metrics that the lab measures itself: a new one is one line here, and its task names it. */
export const METRICS = {
  accuracy: {
    id: "accuracy",
    title: "Accuracy",
    unit: "%",
    better: "higher",
    range: [0, 1],
    chance: (classes) => (classes >= 2 ? 1 / classes : null),
  },
  /** Mean cross-entropy in nats. */
  loss: { id: "loss", title: "Loss", unit: "nats", better: "lower" },
} as const satisfies Record<string, MetricDefinition>;

export type MetricId = keyof typeof METRICS;

export const isKnownMetric = (id: string): id is MetricId => Object.hasOwn(METRICS, id);

/** The values of a round by metric; null where one was not measured. */
export type MetricValues = Readonly<Record<string, number | null>>;

/** The name of a metric that a client reports. */
export const METRIC_NAME = /^[A-Za-z][A-Za-z0-9_.@/-]{0,59}$/;

/** How a study file describes a metric that its clients report. */
const reportedMetric = z.strictObject({
  title: z.string().trim().min(1).max(60).optional(),
  better: z.enum(["higher", "lower"]).default("higher"),
  unit: z.enum(METRIC_UNITS).default(""),
});

/** Metrics that a run keeps of what clients report, at most. */
export const MOST_REPORTED_METRICS = 32;

export const reportedMetricsSchema = z
  .record(
    z
      .string()
      .regex(
        METRIC_NAME,
        "a metric's name has up to 60 letters, digits or _ . @ / - and starts with a letter",
      ),
    reportedMetric,
  )
  .superRefine((metrics, context) => {
    const names = Object.keys(metrics);
    if (names.length > MOST_REPORTED_METRICS) {
      context.addIssue({
        code: "custom",
        path: [],
        message: `describes ${names.length} metrics; at most ${MOST_REPORTED_METRICS} are allowed`,
      });
    }
    for (const name of names.filter(isKnownMetric)) {
      context.addIssue({
        code: "custom",
        path: [name],
        message: `${name} is measured by the lab itself; give the client's metric another name`,
      });
    }
  });

export type ReportedMetrics = z.output<typeof reportedMetricsSchema>;

/**
 * A metric by its id: the lab's own, one that the study file describes, or one that clients report without a
 * description (then higher is better).
 * @param classes how many classes the data have; 0 where that is not known or differs
 */
export const metricOf = (id: string, described: ReportedMetrics = {}, classes = 0): Metric => {
  if (isKnownMetric(id)) {
    const { chance, ...rest }: MetricDefinition = METRICS[id];
    return { ...rest, chance: chance?.(classes) ?? null };
  }
  const own = Object.hasOwn(described, id) ? described[id] : undefined;
  return {
    id,
    title: own?.title ?? id,
    unit: own?.unit ?? "",
    better: own?.better ?? "higher",
    chance: null,
  };
};

const isNumber = (value: number | null | undefined): value is number =>
  typeof value === "number" && Number.isFinite(value);

/** How much better `value` is than `base`: above 0 is better, in either direction. */
export const gainOf = ({ better }: Pick<Metric, "better">, value: number, base: number): number =>
  better === "higher" ? value - base : base - value;

/** The best of the finite values; null where there is none. */
export const bestOf = (
  metric: Pick<Metric, "better">,
  values: readonly (number | null | undefined)[],
): number | null =>
  values.filter(isNumber).reduce<number | null>((best, value) => {
    return best === null || gainOf(metric, value, best) > 0 ? value : best;
  }, null);

/** The number as tables print it, without its unit: percent with two digits, anything else with four. */
export const metricText = ({ unit }: Pick<Metric, "unit">, value: number): string =>
  unit === "%" ? (value * 100).toFixed(2) : value.toFixed(4);

/** Within a sentence: "accuracy", "Rank-10". */
export const metricWord = ({ id, title }: Pick<Metric, "id" | "title">): string =>
  isKnownMetric(id) ? title.toLowerCase() : title;

/** "Accuracy (%)", "Loss (nats)", "rank10". */
export const metricHeading = ({ title, unit }: Pick<Metric, "title" | "unit">): string =>
  unit === "" ? title : `${title} (${unit})`;
