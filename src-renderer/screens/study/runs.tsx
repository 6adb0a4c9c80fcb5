import { memo } from "react";
import { bestOf, type Metric, metricWord } from "#contract/metrics.ts";
import type { Curve, RunRow } from "#contract/views.ts";
import { duration, plural } from "#renderer/ui/format.ts";
import { metricValue } from "#renderer/ui/metric-text.ts";
import { Card, Small, scrollClass, tableClass } from "#renderer/ui/page.tsx";
import { AlgorithmChip, StatusPill } from "#renderer/ui/words.tsx";
import style from "./study.module.css";

interface RunsProps {
  readonly runs: readonly RunRow[];
  readonly curves: readonly Curve[];
  readonly rounds: number;
  /** The primary metric: its last value and its best. */
  readonly primary: Metric;
  /** What clients report besides: the last value. */
  readonly reported: readonly Metric[];
}

const valuesOf = (curve: Curve | undefined, { id }: Metric): readonly number[] =>
  (curve !== undefined && Object.hasOwn(curve.metrics, id) ? (curve.metrics[id] ?? []) : []).filter(
    (value): value is number => value !== null,
  );

/** Each run of the study: its progress, its results, why it ended. */
export const Runs = memo(({ runs, curves, rounds, primary, reported }: RunsProps) => (
  <Card title="Runs" note={plural(runs.length, "run")}>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long table is scrolled with the keyboard, too */}
    <section className={`${scrollClass} ${style.runs}`} tabIndex={0} aria-label="Runs of the study">
      <table className={tableClass}>
        <thead>
          <tr>
            <th>Algorithm</th>
            <th data-num>Trial</th>
            <th>State</th>
            <th data-num>Rounds</th>
            <th data-num>Last {metricWord(primary)}</th>
            <th data-num>Best</th>
            {reported.map(({ id, title }) => (
              <th key={id} data-num title={`Last value of ${id}`}>
                {title}
              </th>
            ))}
            <th data-num>Time</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const curve = curves.find((c) => c.run === run.id);
            const values = valuesOf(curve, primary);
            const seconds = (curve?.seconds ?? []).reduce((sum, s) => sum + s, 0);
            return (
              <tr key={run.id}>
                <th scope="row">
                  <AlgorithmChip name={run.algorithm} />
                </th>
                <td data-num>{run.trial}</td>
                <td>
                  <StatusPill status={run.status} />{" "}
                  {run.reason !== undefined && run.status !== "done" && <Small>{run.reason}</Small>}
                </td>
                <td data-num>
                  {curve?.round.at(-1) ?? 0} of {rounds}
                </td>
                <td data-num>{metricValue(primary, values.at(-1), 2)}</td>
                <td data-num>{metricValue(primary, bestOf(primary, values), 2)}</td>
                {reported.map((metric) => (
                  <td key={metric.id} data-num>
                    {metricValue(metric, valuesOf(curve, metric).at(-1), 2)}
                  </td>
                ))}
                <td data-num>{seconds === 0 ? "–" : duration(seconds)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  </Card>
));
Runs.displayName = "Runs";
