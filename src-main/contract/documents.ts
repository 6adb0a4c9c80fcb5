/** What JSON documents have said since the first version, beside what later ones added. */
import type { Metric, MetricValues } from "./metrics.ts";

/** A metric by its id, and its chance level. */
export const metricDocument = ({ id, chance }: Metric) => ({ metric: id, chance });

/** A round with `loss` and `accuracy` beside `metrics`. */
export const roundDocument = <R extends { readonly round: number; readonly metrics: MetricValues }>({
  round,
  ...rest
}: R) => ({
  round,
  loss: rest.metrics.loss ?? null,
  accuracy: rest.metrics.accuracy ?? null,
  ...rest,
});

export const runDocument = <
  R extends { readonly rounds: readonly { readonly round: number; readonly metrics: MetricValues }[] },
>(
  run: R,
) => ({ ...run, rounds: run.rounds.map(roundDocument) });
