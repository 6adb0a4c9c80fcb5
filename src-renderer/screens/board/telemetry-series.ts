import type { TelemetryPoint } from "#contract/boards.ts";
import { bytes, degrees, percent } from "#renderer/ui/format.ts";

/** A board's telemetry of the last hour, as lines over time. */

export interface TelemetryLine {
  readonly key: "temperature" | "memory" | "cpu" | "gpu" | "power";
  readonly label: string;
  readonly colour: string;
  readonly dash?: string;
  value(point: TelemetryPoint): number | undefined;
}

export interface TelemetryChartSpec {
  readonly key: string;
  readonly title: string;
  readonly lines: readonly TelemetryLine[];
  /** The end of the scale, where it is known. */
  top(points: readonly TelemetryPoint[]): number | undefined;
  text(value: number): string;
  /** A shorter text for the axis. */
  axis?(value: number): string;
}

export const TELEMETRY_CHARTS: readonly TelemetryChartSpec[] = [
  {
    key: "temperature",
    title: "Temperature",
    lines: [
      {
        key: "temperature",
        label: "hottest part",
        colour: "var(--series-2)",
        value: (p) => p.temperature,
      },
    ],
    top: () => undefined,
    text: (value) => degrees(value) ?? "",
  },
  {
    key: "memory",
    title: "Memory in use",
    lines: [{ key: "memory", label: "memory", colour: "var(--series-1)", value: (p) => p.memoryUsedBytes }],
    top: (points) => points.at(-1)?.memoryBytes,
    text: (value) => bytes(value),
    axis: (value) => (value === 0 ? "0" : `${Number((value / 1e9).toPrecision(2))} GB`),
  },
  {
    key: "load",
    title: "Load",
    lines: [
      { key: "cpu", label: "CPU", colour: "var(--series-1)", value: (p) => p.cpu },
      { key: "gpu", label: "GPU", colour: "var(--series-3)", dash: "6 3", value: (p) => p.gpu },
    ],
    top: () => 1,
    text: (value) => percent(value, 0),
  },
  {
    key: "power",
    title: "Power",
    lines: [{ key: "power", label: "power", colour: "var(--series-6)", value: (p) => p.power }],
    top: () => undefined,
    text: (value) => `${value.toFixed(1)} W`,
    axis: (value) => `${Number(value.toPrecision(2))} W`,
  },
];

/** Lines for which the board reports values. */
export const reportedLines = (
  spec: TelemetryChartSpec,
  points: readonly TelemetryPoint[],
): readonly TelemetryLine[] =>
  spec.lines.filter((line) => points.some((point) => line.value(point) !== undefined));

/** After a gap this long the board was away, and its line is broken. */
const GAP_MS = 30_000;

export type TelemetryRow = { readonly at: number } & Readonly<
  Partial<Record<TelemetryLine["key"], number | null>>
>;

/** One row per point, thinned to about `most`; an empty row where the board was away breaks the line. */
export const telemetryRows = (
  points: readonly TelemetryPoint[],
  lines: readonly TelemetryLine[],
  most = 360,
): readonly TelemetryRow[] => {
  const step = Math.max(1, Math.ceil(points.length / most));
  const rows: TelemetryRow[] = [];
  let last: number | undefined;
  points.forEach((point, i) => {
    if (i % step !== 0 && i !== points.length - 1) return;
    const at = Date.parse(point.at);
    if (last !== undefined && at - last > Math.max(GAP_MS, step * 10_000))
      rows.push({ at: last + 1, ...Object.fromEntries(lines.map(({ key }) => [key, null])) });
    rows.push({ at, ...Object.fromEntries(lines.map(({ key, value }) => [key, value(point) ?? null])) });
    last = at;
  });
  return rows;
};

/** "41 °C to 67 °C"; undefined without values. */
export const rangeText = (
  line: TelemetryLine,
  points: readonly TelemetryPoint[],
  text: (value: number) => string,
): string | undefined => {
  const values = points.flatMap((point) => line.value(point) ?? []);
  if (values.length === 0) return undefined;
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return text(low) === text(high) ? text(low) : `${text(low)} to ${text(high)}`;
};

/** The last point of each minute, newest first, for the table. */
export const perMinute = (points: readonly TelemetryPoint[]): readonly TelemetryPoint[] => {
  const minutes = new Map<number, TelemetryPoint>();
  for (const point of points) minutes.set(Math.floor(Date.parse(point.at) / 60_000), point);
  return [...minutes.values()].reverse();
};
