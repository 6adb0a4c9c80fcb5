import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { Metric } from "#contract/metrics.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { Curve, RunRow, StudyView } from "#contract/views.ts";
import { lookOf } from "#renderer/charts/colours.ts";
import { meanOf, pointsOf, type Series } from "#renderer/charts/series.ts";

/** The lines of a study: one thin line per trial, the mean thick on top; a single trial is its own mean. */
export const seriesOf = (
  algorithms: readonly string[],
  runs: readonly RunRow[],
  curves: readonly Curve[],
  metric: Metric,
): readonly Series[] =>
  algorithms.flatMap((algorithm) => {
    const { colour, dash } = lookOf(algorithm);
    const trials = runs.flatMap((run) => {
      const curve = run.algorithm === algorithm ? curves.find((c) => c.run === run.id) : undefined;
      const points = curve === undefined ? [] : pointsOf(curve, metric);
      return points.length === 0 ? [] : [{ run, points }];
    });
    const look = { algorithm, colour, dash };
    if (trials.length === 0) return [];
    const thin: Series[] =
      trials.length === 1
        ? []
        : trials.map(({ run, points }) => ({
            ...look,
            key: run.id,
            label: `${titleOfAlgorithm(algorithm)}, trial ${run.trial}`,
            kind: "trial",
            points,
          }));
    // The band is for trials that are over: on a running one it would jump with every round.
    const over = trials.every(({ run }) => run.status === "done" || run.status === "failed");
    const { points, band } = meanOf(trials.map((trial) => trial.points));
    const mean: Series = {
      ...look,
      key: algorithm,
      label: titleOfAlgorithm(algorithm),
      kind: "mean",
      points,
      ...(band !== undefined && over ? { band } : {}),
    };
    return [...thin, mean];
  });

/**
 * What the study is judged by, the primary metric first: the metrics that have a value so far, or all while none has.
 * What clients report comes with their first values.
 */
export const metricsOfStudy = ({
  study,
  classes,
  curves,
}: Pick<StudyView, "study" | "classes" | "curves">): readonly Metric[] => {
  const all = metricsOf(
    study,
    curves.flatMap(({ metrics }) => Object.keys(metrics)),
    classes.length,
  );
  const measured = all.filter((metric) => curves.some((curve) => pointsOf(curve, metric).length > 0));
  return measured.length === 0 ? all : measured;
};
