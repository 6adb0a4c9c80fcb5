import { useMemo, useState } from "react";
import { metricHeading, metricWord } from "#contract/metrics.ts";
import type { Comparison } from "#contract/views.ts";
import { ChartTools } from "#renderer/charts/chart-tools.tsx";
import { CurveTable } from "#renderer/charts/curve-table.tsx";
import { RoundChart } from "#renderer/charts/round-chart.tsx";
import type { Series } from "#renderer/charts/series.ts";
import { plural } from "#renderer/ui/format.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import style from "./compare.module.css";
import { lastRoundOf } from "./compare-series.ts";
import { titleOf } from "./figures.ts";

interface CurvesProps {
  readonly comparison: Comparison;
  readonly series: readonly Series[];
  readonly hidden: ReadonlySet<string>;
  readonly onMetric: (id: string) => void;
}

/** The mean of each row over the rounds, in one chart. */
export const Curves = ({ comparison, series, hidden, onMetric }: CurvesProps) => {
  const [asTable, setAsTable] = useState(false);
  const shown = useMemo(() => series.filter(({ key }) => !hidden.has(key)), [series, hidden]);
  const rounds = lastRoundOf(series);
  const several = shown.some(({ band }) => band !== undefined);
  const { metric, metrics } = comparison;
  return (
    <Card
      title={metric.unit === "%" ? metric.title : metricHeading(metric)}
      note={
        several ? `mean ± standard deviation over ${plural(comparison.trials.length, "trial")}` : "per round"
      }
      aside={
        <ChartTools
          metrics={metrics}
          metric={metric}
          onMetric={onMetric}
          asTable={asTable}
          onTable={setAsTable}
        />
      }
    >
      {series.length === 0 ? (
        <Empty
          title={`No ${metricWord(metric)} yet`}
          text="Curves appear here with the first evaluated round."
        />
      ) : (
        <div className={style.plot}>
          <RoundChart
            metric={metric}
            title={`${metric.title} per round: ${titleOf(comparison.rows)}`}
            series={shown}
            rounds={rounds}
            height="100%"
          />
        </div>
      )}
      {asTable && <CurveTable metric={metric} series={shown} />}
    </Card>
  );
};
