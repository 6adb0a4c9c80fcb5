import { memo } from "react";
import type { Curve, RunRow } from "#contract/views.ts";
import { duration, percent, plural } from "#renderer/ui/format.ts";
import { Card, Small, scrollClass, tableClass } from "#renderer/ui/page.tsx";
import { AlgorithmChip, StatusPill } from "#renderer/ui/words.tsx";
import style from "./study.module.css";

interface RunsProps {
  readonly runs: readonly RunRow[];
  readonly curves: readonly Curve[];
  readonly rounds: number;
}

/** Each run of the study: how far it is, what it reached, why it ended. */
export const Runs = memo(({ runs, curves, rounds }: RunsProps) => (
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
            <th data-num>Last accuracy</th>
            <th data-num>Best</th>
            <th data-num>Time</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => {
            const curve = curves.find((c) => c.run === run.id);
            const accuracies = (curve?.accuracy ?? []).filter((a): a is number => a !== null);
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
                <td data-num>{percent(accuracies.at(-1), 2)}</td>
                <td data-num>{percent(accuracies.length === 0 ? null : Math.max(...accuracies), 2)}</td>
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
