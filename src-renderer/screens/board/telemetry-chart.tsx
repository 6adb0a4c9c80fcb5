import { memo, useMemo } from "react";
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
import { useTelemetry } from "#renderer/state/use-states.ts";
import { clock } from "#renderer/ui/format.ts";
import style from "./telemetry.module.css";
import { timeScale, valueScale } from "./telemetry-scales.ts";
import {
  rangeText,
  reportedLines,
  type TelemetryChartSpec,
  type TelemetryLine,
  telemetryRows,
} from "./telemetry-series.ts";

/** One figure of a board over the last hour. */
export const TelemetryChart = memo(
  ({
    name,
    spec,
    history,
  }: {
    readonly name: string;
    readonly spec: TelemetryChartSpec;
    readonly history: readonly TelemetryPoint[];
  }) => {
    const lines = useMemo(() => reportedLines(spec, history), [spec, history]);
    const rows = useMemo(() => telemetryRows(history, lines), [history, lines]);
    const time = timeScale(history, rows);
    const scale = valueScale(spec, history, rows, lines);
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
            {lines.length > 1 && lines.map((line) => <LineName key={line.key} line={line} />)}
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
              domain={[time.min, time.max]}
              ticks={[...time.ticks]}
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
              interval={0}
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
              content={<TooltipText text={spec.text} />}
              cursor={{ stroke: "var(--line-strong)" }}
            />
          </ComposedChart>
        </ResponsiveContainer>
        <p>{ranges.join(" · ")}</p>
      </figure>
    );
  },
);
TelemetryChart.displayName = "TelemetryChart";

const shortClock = (ms: number): string => clock(new Date(ms).toISOString()).slice(0, 5);

const LineName = ({ line: { label, colour, dash } }: { readonly line: TelemetryLine }) => (
  <span className={style.series}>
    <svg viewBox="0 0 14 6" aria-hidden="true">
      <line x2="14" y1="3" y2="3" stroke={colour} strokeWidth="2.4" strokeDasharray={dash} />
    </svg>
    {label}
  </span>
);

/** The latest value; the only part that is drawn again every second. */
const Latest = ({
  name,
  spec,
  lines,
}: {
  readonly name: string;
  readonly spec: TelemetryChartSpec;
  readonly lines: readonly TelemetryLine[];
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

interface TooltipProps {
  readonly text: (value: number) => string;
  readonly active?: boolean;
  readonly label?: number | string;
  readonly payload?: readonly { readonly name?: string; readonly value?: number | null }[];
}

const TooltipText = ({ text, active, label, payload }: TooltipProps) => {
  if (!active || payload === undefined || payload.length === 0 || typeof label !== "number") return null;
  return (
    <div className={style.tip}>
      <span>{clock(new Date(label).toISOString())}</span>
      {payload.map(({ name, value }) => (
        <div key={name}>
          {payload.length > 1 && `${name} `}
          <b>{typeof value === "number" ? text(value) : "–"}</b>
        </div>
      ))}
    </div>
  );
};
