import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import type { Metric } from "#contract/metrics.ts";
import style from "./chart-tools.module.css";

/** More metrics than fit side by side become a list. */
const SIDE_BY_SIDE = 3;

interface ChartToolsProps {
  /** What the chart can show. */
  readonly metrics: readonly Metric[];
  readonly metric: Metric;
  readonly onMetric: (id: string) => void;
  readonly asTable: boolean;
  readonly onTable: (asTable: boolean) => void;
}

/** The controls above a chart of rounds: the metric, and its values as a table. */
export const ChartTools = ({ metrics, metric, onMetric, asTable, onTable }: ChartToolsProps) => {
  const data = metrics.map(({ id, title }) => ({ value: id, label: title }));
  const shared = { size: "xs", value: metric.id, data, "aria-label": "Metric" } as const;
  return (
    <div className={style.tools}>
      <Button size="xs" aria-pressed={asTable} onClick={() => onTable(!asTable)}>
        {asTable ? "Hide table" : "Show as table"}
      </Button>
      {metrics.length > SIDE_BY_SIDE ? (
        <NativeSelect {...shared} onChange={(event) => onMetric(event.currentTarget.value)} />
      ) : (
        <SegmentedControl {...shared} onChange={onMetric} />
      )}
    </div>
  );
};
