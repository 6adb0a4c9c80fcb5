import type { Metric } from "#contract/metrics.ts";
import { fixed, percent, points } from "./format.ts";

/** How the page writes a metric's values: shares in percent, anything else as a number. */

/** "46.0%", "1.234"; unknown → "–". */
export const metricValue = (
  { unit }: Pick<Metric, "unit">,
  value: number | null | undefined,
  percentDigits = 1,
): string => (unit === "%" ? percent(value, percentDigits) : fixed(value));

/** A tick of an axis that goes up to `max`. */
export const metricTick = ({ unit }: Pick<Metric, "unit">, value: number, max: number): string =>
  unit === "%" ? percent(value, 0) : fixed(value, max < 1 ? 2 : 1);

/** A level of guessing beside its line. */
export const metricLevel = ({ unit }: Pick<Metric, "unit">, value: number): string =>
  unit === "%" ? percent(value, value < 0.1 ? 1 : 0) : fixed(value, 2);

/** A difference with its sign: "+12.5 points", "−0.120". */
export const metricDifference = ({ unit }: Pick<Metric, "unit">, difference: number): string => {
  if (unit === "%") return `${points(difference)} points`;
  const text = fixed(difference);
  const rounded = Number(text);
  return rounded > 0 ? `+${text}` : rounded === 0 ? text.replace("-", "") : text.replace("-", "−");
};
