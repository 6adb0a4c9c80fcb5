import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import { gainOf, type Metric, metricWord } from "#contract/metrics.ts";
import type { StudyView } from "#contract/views.ts";
import { metricDifference, metricValue } from "#renderer/ui/metric-text.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./study.module.css";
import { valueAt } from "./value-at.ts";

/** Algorithms of a result that fit in large type. */
const ROOMY = 4;

/** How the study ended: each algorithm's last round, and how far it is from the first algorithm. */
export const Outcome = ({ view, metric }: { readonly view: StudyView; readonly metric: Metric }) => {
  const rows = view.study.algorithms.map((algorithm) => {
    const last = view.runs.flatMap((run) => {
      if (run.algorithm !== algorithm) return [];
      const curve = view.curves.find((c) => c.run === run.id);
      return valueAt(curve, metric, curve?.round.at(-1)) ?? [];
    });
    return {
      algorithm,
      n: last.length,
      mean: last.length === 0 ? null : last.reduce((a, b) => a + b, 0) / last.length,
    };
  });
  const base = rows[0]?.mean ?? null;
  const against = titleOfAlgorithm(rows[0]?.algorithm ?? "");
  const isCompact = rows.length > ROOMY;
  return (
    <Card title="Result" note={`${metricWord(metric)}, last round${isCompact ? `, vs. ${against}` : ""}`}>
      <dl className={style.facts} data-compact={isCompact || undefined}>
        {rows.map(({ algorithm, mean, n }, i) => {
          const trials = n === 0 ? "no result" : n === 1 ? "one trial" : `mean of ${n} trials`;
          const isCompared = i > 0 && mean !== null && base !== null;
          const difference = isCompared ? metricDifference(metric, mean - base) : undefined;
          const isBetter = isCompared && gainOf(metric, mean, base) > 0;
          return (
            <div key={algorithm} title={isCompact ? trials : undefined}>
              <dt>{titleOfAlgorithm(algorithm)}</dt>
              <dd>
                {metricValue(metric, mean)}
                <small {...(isBetter ? { "data-tone": "up" } : {})}>
                  {isCompact
                    ? difference
                    : [...(difference === undefined ? [] : [`${difference} vs. ${against}`]), trials].join(
                        " · ",
                      )}
                </small>
              </dd>
            </div>
          );
        })}
      </dl>
    </Card>
  );
};
