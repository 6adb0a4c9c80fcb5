import { memo, useMemo } from "react";
import {
  Area,
  CartesianGrid,
  ComposedChart,
  Label,
  Line,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { gainOf, type Metric } from "#contract/metrics.ts";
import { metricLevel, metricTick, metricValue } from "#renderer/ui/metric-text.ts";
import { EndLabels } from "./end-labels.tsx";
import style from "./round-chart.module.css";
import { niceScale, type Series, scaleOf, thinned } from "./series.ts";

export interface RoundChartProps {
  /** Its chance level is drawn as a dotted line. */
  readonly metric: Metric;
  /** Names the chart for screen readers. */
  readonly title: string;
  readonly series: readonly Series[];
  readonly rounds: number;
  /** Pixels, or a share of the surrounding box. */
  readonly height?: number | `${number}%`;
}

/** Points per line at most. */
const DENSE = 260;

const Chart = ({ metric, title, series, rounds, height = 304 }: RoundChartProps) => {
  const { chance } = metric;
  const rows = useMemo(() => toRows(series), [series]);
  const scale = useMemo(() => scaleOf(metric, series), [metric, series]);
  const text = (value: number) => metricTick(metric, value, scale.max);
  const ticks = useMemo(
    () => niceScale(0, Math.max(rounds, 1), 8).ticks.filter((t) => t <= rounds && Number.isInteger(t)),
    [rounds],
  );
  const named = series.filter((s) => s.kind === "mean" || series.length === 1);
  const labelRoom = Math.min(190, 24 + 7.4 * Math.max(0, ...named.map((s) => s.label.length)));
  return (
    <div className={style.box}>
      <ResponsiveContainer width="100%" height={height}>
        <ComposedChart
          data={rows}
          margin={{ top: 8, right: labelRoom, bottom: 4, left: 0 }}
          title={title}
          accessibilityLayer
        >
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="round"
            type="number"
            domain={[0, Math.max(rounds, 1)]}
            ticks={ticks}
            allowDecimals={false}
            tick={{ fill: "var(--mute)", fontSize: 12 }}
            tickLine={false}
            axisLine={false}
            height={40}
          >
            <Label value="Round" position="insideBottom" offset={0} fill="var(--mute)" fontSize={12} />
          </XAxis>
          <YAxis
            type="number"
            domain={[scale.min, scale.max]}
            ticks={[...scale.ticks]}
            tickFormatter={text}
            tick={{ fill: "var(--mute)", fontSize: 12 }}
            tickLine={false}
            axisLine={false}
            width={46}
          />
          {chance !== null && (
            <ReferenceLine y={chance} stroke="var(--mute)" strokeDasharray="3 4">
              <Label
                value={`chance ${metricLevel(metric, chance)}`}
                position="insideTopRight"
                fill="var(--mute)"
                fontSize={12}
              />
            </ReferenceLine>
          )}
          {series.flatMap((s) =>
            s.band === undefined
              ? []
              : [
                  <Area
                    key={`${s.key} band`}
                    dataKey={`${s.key} band`}
                    stroke="none"
                    fill={s.colour}
                    fillOpacity={0.16}
                    isAnimationActive={false}
                    tooltipType="none"
                    activeDot={false}
                    connectNulls
                  />,
                ],
          )}
          {series.map((s) => (
            <Line
              key={s.key}
              dataKey={s.key}
              name={s.label}
              stroke={s.colour}
              strokeDasharray={s.dash ?? ""}
              strokeWidth={s.kind === "mean" ? 2.4 : 1}
              strokeOpacity={s.kind === "mean" ? 1 : 0.45}
              dot={s.points.length === 1 ? { r: 2.5, fill: s.colour } : false}
              activeDot={s.kind === "mean" ? { r: 4 } : false}
              isAnimationActive={false}
              connectNulls
              {...(s.kind === "trial" && series.some((other) => other.kind === "mean")
                ? { tooltipType: "none" as const }
                : {})}
            />
          ))}
          <Tooltip
            isAnimationActive={false}
            content={<Tip metric={metric} />}
            cursor={{ stroke: "var(--line-strong)" }}
          />
          <EndLabels series={named} />
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
};

/**
 * Curves over rounds: means thick with their names at their ends, trials thin, bands of one deviation. Drawn again
 * only when one of its properties is another: hand it the same `series` as long as nothing in them has changed.
 */
export const RoundChart = memo(Chart);

type Row = { round: number; [key: string]: number | [number, number] };

/** Recharts wants one record per round. */
const toRows = (series: readonly Series[]): Row[] => {
  const byRound = new Map<number, Row>();
  const at = (round: number): Row => {
    const found = byRound.get(round);
    if (found !== undefined) return found;
    const row: Row = { round };
    byRound.set(round, row);
    return row;
  };
  for (const s of series) {
    for (const { round, value } of thinned(s.points, DENSE)) at(round)[s.key] = value;
    for (const { round, low, high } of thinned(s.band ?? [], DENSE)) at(round)[`${s.key} band`] = [low, high];
  }
  return [...byRound.values()].sort((a, b) => a.round - b.round);
};

interface TipProps {
  readonly metric: Metric;
  readonly active?: boolean;
  readonly label?: number | string;
  readonly payload?: readonly {
    readonly name?: string;
    readonly value?: number | readonly number[];
    readonly color?: string;
    readonly type?: string;
  }[];
}

const Tip = ({ metric, active, label, payload }: TipProps) => {
  if (!active || payload === undefined || payload.length === 0) return null;
  // Bands, and trials beside their mean, are among them; they have no line here.
  const sorted = payload
    .flatMap(({ name, value, type }) =>
      typeof value === "number" && type !== "none" ? [{ name, value }] : [],
    )
    .sort((a, b) => gainOf(metric, b.value, a.value));
  return (
    <div className={style.tip}>
      <p>{label === 0 ? "before training" : `round ${label}`}</p>
      {sorted.map((entry) => (
        <div key={entry.name}>
          <span>{entry.name}</span>
          <b>{metricValue(metric, entry.value)}</b>
        </div>
      ))}
    </div>
  );
};
