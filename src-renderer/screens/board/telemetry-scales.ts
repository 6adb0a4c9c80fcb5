import type { TelemetryPoint } from "#contract/boards.ts";
import { niceScale } from "#renderer/charts/series.ts";
import type { TelemetryChartSpec, TelemetryLine, TelemetryRow } from "./telemetry-series.ts";

const HOUR_MS = 3600 * 1000;
const MINUTE_MS = 60_000;
/** The shortest time that a chart spans. */
const LEAST_MS = 4 * MINUTE_MS;
const TICKS_MS = [MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS];

interface AxisScale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

/** The time axis, in milliseconds of Date.now(): up to an hour, less for a board that was just added. */
export const timeScale = (history: readonly TelemetryPoint[], rows: readonly TelemetryRow[]): AxisScale => {
  const max = Date.parse(history.at(-1)?.at ?? new Date().toISOString());
  const span = Math.min(HOUR_MS, Math.max(LEAST_MS, max - (rows[0]?.at ?? max)));
  const step = TICKS_MS.find((ms) => span / ms <= 4) ?? HOUR_MS / 4;
  const ticks = [3, 2, 1, 0].map((n) => (Math.floor(max / step) - n) * step).filter((at) => at >= max - span);
  return { min: max - span, max, ticks };
};

/** The value axis, in the figure's own unit: from 0 to its known end, or to the highest value. */
export const valueScale = (
  spec: TelemetryChartSpec,
  history: readonly TelemetryPoint[],
  rows: readonly TelemetryRow[],
  lines: readonly TelemetryLine[],
): AxisScale => {
  const high = rows
    .flatMap((row) => lines.flatMap(({ key }) => row[key] ?? []))
    .reduce((a, b) => Math.max(a, b), 0);
  const top = spec.top(history);
  return spec.key === "memory" ? memoryScale(top ?? high) : niceScale(0, Math.max(top ?? 0, high || 1), 4);
};

/** Ticks at round numbers of gigabytes. */
const memoryScale = (all: number): AxisScale => {
  const scale = niceScale(0, all / 1e9, 4);
  return { min: 0, max: scale.max * 1e9, ticks: scale.ticks.map((tick) => tick * 1e9) };
};
