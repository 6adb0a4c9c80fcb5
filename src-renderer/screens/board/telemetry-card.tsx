import { Button } from "@mantine/core";
import { useState } from "react";
import type { TelemetryPoint } from "#contract/boards.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import style from "./telemetry.module.css";
import { TelemetryChart } from "./telemetry-chart.tsx";
import { reportedLines, TELEMETRY_CHARTS } from "./telemetry-series.ts";
import { TelemetryTable } from "./telemetry-table.tsx";

/** A board's last hour; a figure that the board does not report has no chart. */
export const TelemetryCard = ({
  name,
  history,
  online,
}: {
  readonly name: string;
  readonly history: readonly TelemetryPoint[];
  readonly online: boolean;
}) => {
  const [asTable, setAsTable] = useState(false);
  const charts = TELEMETRY_CHARTS.filter((spec) => reportedLines(spec, history).length > 0);
  return (
    <Card
      title="Telemetry"
      note="last hour"
      aside={
        charts.length > 0 && (
          <Button size="xs" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? "Hide table" : "Show as table"}
          </Button>
        )
      }
    >
      {charts.length === 0 ? (
        <Empty
          title={online ? "No telemetry yet" : "No telemetry in the last hour"}
          text={
            online
              ? "The board reports temperature, memory and load about once a second."
              : "Temperature, memory and load appear here while the board is connected."
          }
        />
      ) : (
        <div className={style.charts}>
          {charts.map((spec) => (
            <TelemetryChart key={spec.key} name={name} spec={spec} history={history} />
          ))}
        </div>
      )}
      {asTable && <TelemetryTable history={history} />}
    </Card>
  );
};
