import type { TelemetryPoint } from "#contract/boards.ts";
import { bytes, clock, degrees, percent, plural } from "#renderer/ui/format.ts";
import { tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./telemetry.module.css";
import { perMinute } from "./telemetry-series.ts";

/** The last hour as a table, one row per minute. */
export const TelemetryTable = ({ history }: { readonly history: readonly TelemetryPoint[] }) => {
  const rows = perMinute(history);
  return (
    <ScrollBox label={`Telemetry, ${plural(rows.length, "minute")}`} className={style.table}>
      <table className={tableClass}>
        <thead>
          <tr>
            <th>Time</th>
            <th data-num>Temperature</th>
            <th data-num>Memory</th>
            <th data-num>CPU</th>
            <th data-num>GPU</th>
            <th data-num>Power</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((point) => (
            <tr key={point.at}>
              <th scope="row">{clock(point.at)}</th>
              <td data-num>{degrees(point.temperature) ?? "–"}</td>
              <td data-num>{bytes(point.memoryUsedBytes)}</td>
              <td data-num>{percent(point.cpu, 0)}</td>
              <td data-num>{percent(point.gpu, 0)}</td>
              <td data-num>{point.power === undefined ? "–" : `${point.power.toFixed(1)} W`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
};
