import type { Metric } from "#contract/metrics.ts";
import type { Curve } from "#contract/views.ts";

/** One line of a chart: y over rounds. */
export interface Series {
  readonly key: string;
  readonly label: string;
  readonly algorithm: string;
  readonly colour: string;
  readonly dash: string | undefined;
  /** "trial" is drawn thin, "mean" thick and with its name at its end. */
  readonly kind: "trial" | "mean";
  readonly points: readonly { readonly round: number; readonly value: number }[];
  /** One deviation around a mean, where two or more trials are behind it. */
  readonly band?: readonly { readonly round: number; readonly low: number; readonly high: number }[];
}

export const pointsOf = (curve: Curve, { id }: Pick<Metric, "id">): Series["points"] =>
  curve.round.flatMap((round, i) => {
    const value = Object.hasOwn(curve.metrics, id) ? curve.metrics[id]?.[i] : undefined;
    return value === null || value === undefined || !Number.isFinite(value) ? [] : [{ round, value }];
  });

/**
 * Mean and sample deviation per round over the trials that have the round. A mean goes only as far as all trials do
 * that have begun (`trials`): further on it would jump when a trial drops out of it.
 */
export const meanOf = (trials: readonly Series["points"][]): Pick<Series, "points" | "band"> => {
  const begun = trials.filter((points) => points.length > 0);
  const sums = new Map<number, number[]>();
  for (const points of begun) {
    for (const { round, value } of points) {
      const values = sums.get(round);
      if (values === undefined) sums.set(round, [value]);
      else values.push(value);
    }
  }
  const complete = [...sums].filter(([, values]) => values.length === begun.length).sort(([a], [b]) => a - b);
  const points = complete.map(([round, values]) => ({ round, value: mean(values) }));
  if (begun.length < 2) return { points };
  const band = complete.map(([round, values]) => {
    const centre = mean(values);
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1));
    return { round, low: centre - deviation, high: centre + deviation };
  });
  return { points, band };
};

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Round limits of an axis: 0.37…0.82 → 0.2…1 in steps of 0.2. */
export const niceScale = (
  low: number,
  high: number,
  wanted = 5,
): { readonly min: number; readonly max: number; readonly ticks: readonly number[] } => {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? power * 10;
  const min = Math.floor(low / step + 1e-9) * step;
  // One value that lies on a tick would be a scale without a length.
  const max = Math.max(Math.ceil(high / step - 1e-9) * step, min + step);
  const count = Math.round((max - min) / step);
  return {
    min,
    max,
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((min + i * step).toPrecision(12))),
  };
};

/** A share that stays low still shows that it is low. */
const LEAST_SHARE = 0.2;

/** The scale that holds every line, its band, and the level of guessing; it begins at 0 unless a value is below. */
export const scaleOf = ({ unit, chance, range }: Metric, series: readonly Series[]) => {
  const values = series.flatMap((s) => [
    ...s.points.map((p) => p.value),
    ...(s.band ?? []).flatMap((b) => [b.low, b.high]),
  ]);
  if (values.length === 0) return niceScale(0, 1);
  if (chance !== null) values.push(chance);
  const high = values.reduce((a, b) => Math.max(a, b), unit === "%" ? LEAST_SHARE : Number.NEGATIVE_INFINITY);
  const low = values.reduce((a, b) => Math.min(a, b), 0);
  const [least, most] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return niceScale(Math.max(low, least), Math.min(high, most));
};

/** At most `most` points, ends kept: more than a screen has columns draw nothing but time. */
export const thinned = <T>(points: readonly T[], most: number): readonly T[] => {
  if (points.length <= most) return points;
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => points[Math.round(i * step)]!);
};

/** Names at the ends of lines must not lie on each other: moved apart, in order, as little as needed. */
export const spreadLabels = (
  wanted: readonly number[],
  { gap: wish, min, max }: { gap: number; min: number; max: number },
): readonly number[] => {
  // More than there is room for lie closer together.
  const gap = Math.min(wish, (max - min) / Math.max(1, wanted.length - 1));
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y);
  let floor = min;
  for (const label of order) {
    label.y = Math.max(label.y, floor);
    floor = label.y + gap;
  }
  let ceiling = max;
  for (const label of order.toReversed()) {
    label.y = Math.min(label.y, ceiling);
    ceiling = label.y - gap;
  }
  const result = [...wanted];
  for (const { y, i } of order) result[i] = y;
  return result;
};

/**
 * Where the names of lines go that end at these points: only names side by side can lie on each other, so a line that
 * ends early keeps its name at its end.
 */
export const placeLabels = (
  ends: readonly { readonly x: number; readonly y: number }[],
  { width, ...room }: { width: number; gap: number; min: number; max: number },
): readonly number[] => {
  const placed = ends.map(({ y }) => y);
  const order = ends.map((_, i) => i).sort((a, b) => ends[a]!.x - ends[b]!.x);
  let group: number[] = [];
  const place = () => {
    const ys = spreadLabels(
      group.map((i) => ends[i]!.y),
      room,
    );
    for (const [k, i] of group.entries()) placed[i] = ys[k]!;
  };
  for (const i of order) {
    if (group.length > 0 && ends[i]!.x - ends[group[0]!]!.x > width) {
      place();
      group = [];
    }
    group.push(i);
  }
  place();
  return placed;
};
