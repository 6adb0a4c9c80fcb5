import { Button, SegmentedControl } from "@mantine/core";
import style from "./chart-tools.module.css";
import type { Metric } from "./series.ts";

/** What stands above a chart of rounds: its figures as a table, and which measure it shows. */
export const ChartTools = ({
  metric,
  onMetric,
  asTable,
  onTable,
}: {
  readonly metric: Metric;
  readonly onMetric: (metric: Metric) => void;
  readonly asTable: boolean;
  readonly onTable: (asTable: boolean) => void;
}) => (
  <div className={style.tools}>
    <Button size="xs" aria-pressed={asTable} onClick={() => onTable(!asTable)}>
      {asTable ? "Hide the table" : "Show as table"}
    </Button>
    <SegmentedControl
      size="xs"
      value={metric}
      onChange={(value) => onMetric(value as Metric)}
      data={[
        { value: "accuracy", label: "Accuracy" },
        { value: "loss", label: "Loss" },
      ]}
      aria-label="What the chart shows"
    />
  </div>
);
