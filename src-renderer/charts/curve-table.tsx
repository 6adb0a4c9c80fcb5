import { type Metric, metricHeading, metricText } from "#contract/metrics.ts";
import { scrollClass, tableClass } from "#renderer/ui/page.tsx";
import style from "./curve-table.module.css";
import type { Series } from "./series.ts";

/** The chart's figures as a table: for screen readers, for copying, for those who want the digits. */
export const CurveTable = ({
  metric,
  series,
}: {
  readonly metric: Metric;
  readonly series: readonly Series[];
}) => {
  const rounds = [...new Set(series.flatMap((s) => s.points.map((p) => p.round)))].sort((a, b) => a - b);
  const values = series.map((s) => new Map(s.points.map((p) => [p.round, p.value])));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long table is scrolled with the keyboard, too
    <section className={`${scrollClass} ${style.box}`} tabIndex={0} aria-label="Figures of the chart">
      <table className={tableClass}>
        <caption className={style.caption}>{metricHeading(metric)} per round</caption>
        <thead>
          <tr>
            <th scope="col">Round</th>
            {series.map((s) => (
              <th scope="col" key={s.key} data-num>
                {s.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rounds.map((round) => (
            <tr key={round}>
              <th scope="row">{round}</th>
              {series.map((s, i) => {
                const value = values[i]?.get(round);
                return (
                  <td key={s.key} data-num>
                    {value === undefined ? "–" : metricText(metric, value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
};
