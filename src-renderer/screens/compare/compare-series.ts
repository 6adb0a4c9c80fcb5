import type { Metric } from "#contract/metrics.ts";
import { shortName } from "#contract/short-name.ts";
import type { Comparison, ComparisonRow } from "#contract/views.ts";
import { dashOfStudy, lookOf } from "#renderer/charts/colours.ts";
import { meanOf, pointsOf, type Series } from "#renderer/charts/series.ts";

export interface RowLook {
  readonly colour: string;
  readonly dash: string | undefined;
}

/** An algorithm has its colour everywhere; of several studies, each has its dash. */
export const looksOf = (rows: readonly ComparisonRow[]): ReadonlyMap<string, RowLook> => {
  const studies = [...new Set(rows.map(({ study }) => study))];
  return new Map(
    rows.map(({ key, algorithm, study }) => {
      const { colour, dash } = lookOf(algorithm);
      return [key, { colour, dash: studies.length > 1 ? dashOfStudy(studies.indexOf(study)) : dash }];
    }),
  );
};

/** One line per row: the mean over its trials, with a band of one deviation where there are two or more. */
export const seriesOfRows = (
  { rows, curves }: Pick<Comparison, "rows" | "curves">,
  metric: Metric,
): readonly Series[] => {
  const looks = looksOf(rows);
  const byRun = new Map(curves.map((curve) => [curve.run, curve]));
  return rows.flatMap((row): Series[] => {
    const trials = row.cells.flatMap(({ run }) => {
      const curve = run === undefined ? undefined : byRun.get(run);
      return curve === undefined ? [] : [pointsOf(curve, metric)];
    });
    const { points, band } = meanOf(trials);
    const { colour, dash } = looks.get(row.key)!;
    const { key, label, algorithm } = row;
    return points.length === 0
      ? []
      : [
          {
            key,
            label: shortName(label),
            algorithm,
            colour,
            dash,
            kind: "mean",
            points,
            ...(band === undefined ? {} : { band }),
          },
        ];
  });
};

/** The last round that is drawn. */
export const lastRoundOf = (series: readonly Series[]): number =>
  series.reduce((last, { points }) => Math.max(last, points.at(-1)?.round ?? 0), 0);
