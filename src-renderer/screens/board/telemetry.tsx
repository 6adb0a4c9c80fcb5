import { Button } from "@mantine/core";
import { memo, useMemo, useState } from "react";
import {
  CartesianGrid,
  Line as ChartLine,
  ComposedChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import type { TelemetryPoint } from "#contract/boards.ts";
import { niceScale } from "#renderer/charts/series.ts";
import { useTelemetry } from "#renderer/state/use-states.ts";
import { bytes, clock, percent, plural } from "#renderer/ui/format.ts";
import { Card, Empty, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./board.module.css";
import { degrees } from "./board-words.ts";
import {
  CHARTS,
  chartRows,
  type Line,
  perMinute,
  rangeText,
  type TelemetryChartSpec,
  toldLines,
} from "./telemetry-series.ts";

const HOUR_MS = 3600 * 1000;
const MINUTE_MS = 60_000;
/** The least that a chart shows. */
const LEAST_MS = 4 * MINUTE_MS;
const TICKS_MS = [MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];

/** The last hour of a board: what it does not tell has no chart. */
export const Telemetry = ({
  name,
  history,
  online,
}: {
  readonly name: string;
  readonly history: readonly TelemetryPoint[];
  readonly online: boolean;
}) => {
  const [asTable, setAsTable] = useState(false);
  const told = CHARTS.filter((spec) => toldLines(spec, history).length > 0);
  return (
    <Card
      title="Telemetry"
      note="the last hour"
      aside={
        told.length > 0 && (
          <Button size="xs" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? "Hide the table" : "Show as table"}
          </Button>
        )
      }
    >
      {told.length === 0 ? (
        <Empty
          title={online ? "It has told nothing yet" : "Nothing in the last hour"}
          text={
            online
              ? "Temperature, memory and load come about once a second once the board is connected."
              : "Temperature, memory and load are drawn here while the board is connected."
          }
        />
      ) : (
        <div className={style.charts}>
          {told.map((spec) => (
            <Chart key={spec.key} name={name} spec={spec} history={history} />
          ))}
        </div>
      )}
      {asTable && <AsTable history={history} />}
    </Card>
  );
};

const Chart = memo(
  ({
    name,
    spec,
    history,
  }: {
    readonly name: string;
    readonly spec: TelemetryChartSpec;
    readonly history: readonly TelemetryPoint[];
  }) => {
    const lines = useMemo(() => toldLines(spec, history), [spec, history]);
    const rows = useMemo(() => chartRows(history, lines), [history, lines]);
    const last = Date.parse(history.at(-1)?.at ?? new Date().toISOString());
    const values = rows.flatMap((row) => lines.flatMap(({ key }) => row[key] ?? []));
    const high = values.reduce((a, b) => Math.max(a, b), 0);
    const top = spec.top(history);
    const scale =
      spec.key === "memory" ? memoryScale(top ?? high) : niceScale(0, Math.max(top ?? 0, high || 1), 4);
    // A board that was added just now fills the chart, too.
    const span = Math.min(HOUR_MS, Math.max(LEAST_MS, last - (rows[0]?.at ?? last)));
    const step = TICKS_MS.find((ms) => span / ms <= 4) ?? HOUR_MS / 4;
    const ticks = [3, 2, 1, 0]
      .map((n) => (Math.floor(last / step) - n) * step)
      .filter((at) => at >= last - span);
    const ranges = lines.flatMap((line) => {
      const range = rangeText(line, history, spec.text);
      return range === undefined ? [] : [`${lines.length > 1 ? `${line.label} ` : ""}${range}`];
    });
    return (
      <figure
        className={style.chart}
        aria-label={`${spec.title} of ${name}: ${ranges.join(", ")} in the last hour`}
      >
        <h3>
          <span>
            {spec.title}
            {lines.length > 1 &&
              lines.map((line) => (
                <span key={line.key} className={style.series}>
                  <svg viewBox="0 0 14 6" aria-hidden="true">
                    <line
                      x2="14"
                      y1="3"
                      y2="3"
                      stroke={line.colour}
                      strokeWidth="2.4"
                      strokeDasharray={line.dash}
                    />
                  </svg>
                  {line.label}
                </span>
              ))}
          </span>
          <b>
            <Latest name={name} spec={spec} lines={lines} />
          </b>
        </h3>
        <ResponsiveContainer width="100%" height={132}>
          <ComposedChart
            data={[...rows]}
            margin={{ top: 6, right: 8, bottom: 0, left: 0 }}
            title={`${spec.title} of ${name}`}
            accessibilityLayer
          >
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis
              dataKey="at"
              type="number"
              domain={[last - span, last]}
              ticks={ticks}
              tickFormatter={shortClock}
              tick={{ fill: "var(--mute)", fontSize: 11.5 }}
              tickLine={false}
              axisLine={false}
              height={20}
            />
            <YAxis
              type="number"
              domain={[scale.min, scale.max]}
              ticks={[...scale.ticks]}
              tickFormatter={spec.axis ?? spec.text}
              tick={{ fill: "var(--mute)", fontSize: 11.5 }}
              tickLine={false}
              axisLine={false}
              width={48}
            />
            {lines.map((line) => (
              <ChartLine
                key={line.key}
                dataKey={line.key}
                name={line.label}
                stroke={line.colour}
                strokeWidth={1.8}
                strokeDasharray={line.dash ?? ""}
                dot={rows.length === 1 ? { r: 2.5, fill: line.colour } : false}
                activeDot={{ r: 3 }}
                isAnimationActive={false}
              />
            ))}
            <Tooltip
              isAnimationActive={false}
              content={<Tip text={spec.text} />}
              cursor={{ stroke: "var(--line-strong)" }}
            />
          </ComposedChart>
        </ResponsiveContainer>
        <p>{ranges.join(" · ")} in the last hour</p>
      </figure>
    );
  },
);
Chart.displayName = "Chart";

const shortClock = (ms: number): string => clock(new Date(ms).toISOString()).slice(0, 5);

/** Ticks at whole gigabytes, or quarters of what there is. */
const memoryScale = (all: number) => {
  const scale = niceScale(0, all / 1e9, 4);
  return { min: 0, max: scale.max * 1e9, ticks: scale.ticks.map((tick) => tick * 1e9) };
};

/** The one thing that changes every second. */
const Latest = ({
  name,
  spec,
  lines,
}: {
  readonly name: string;
  readonly spec: TelemetryChartSpec;
  readonly lines: readonly Line[];
}) => {
  const point = useTelemetry(name);
  if (point === undefined) return null;
  return lines
    .map((line) => {
      const value = line.value(point);
      return value === undefined ? "–" : spec.text(value);
    })
    .join(" · ");
};

interface TipProps {
  readonly text: (value: number) => string;
  readonly active?: boolean;
  readonly label?: number | string;
  readonly payload?: readonly { readonly name?: string; readonly value?: number | null }[];
}

const Tip = ({ text, active, label, payload }: TipProps) => {
  if (!active || payload === undefined || payload.length === 0 || typeof label !== "number") return null;
  return (
    <div className={style.tip}>
      <span className={style.note}>{clock(new Date(label).toISOString())}</span>
      {payload.map(({ name, value }) => (
        <div key={name}>
          {payload.length > 1 && `${name} `}
          <b>{typeof value === "number" ? text(value) : "–"}</b>
        </div>
      ))}
    </div>
  );
};

const AsTable = ({ history }: { readonly history: readonly TelemetryPoint[] }) => {
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
