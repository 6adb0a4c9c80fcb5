import type { Metric } from "#contract/metrics.ts";
import type { Curve } from "#contract/views.ts";

/** The metric's value at a round; null where it was not measured. */
export const valueAt = (
  curve: Curve | undefined,
  metric: Metric | undefined,
  round: number | undefined,
): number | null => {
  if (curve === undefined || metric === undefined || round === undefined) return null;
  const index = curve.round.indexOf(round);
  const values = Object.hasOwn(curve.metrics, metric.id) ? curve.metrics[metric.id] : undefined;
  return index < 0 ? null : (values?.[index] ?? null);
};
