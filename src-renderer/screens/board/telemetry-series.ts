import type { TelemetryPoint } from "#contract/boards.ts";
import { bytes, percent } from "#renderer/ui/format.ts";
import { degrees } from "./board-words.ts";

/** What a board told of itself in the last hour, as lines over time. */

export interface Line {
  readonly key: "temperature" | "memory" | "cpu" | "gpu" | "power";
  readonly label: string;
  readonly colour: string;
  readonly dash?: string;
  value(point: TelemetryPoint): number | undefined;
}

export interface TelemetryChartSpec {
  readonly key: string;
  readonly title: string;
  readonly lines: readonly Line[];
  /** The scale's end where it is known. */
  top(points: readonly TelemetryPoint[]): number | undefined;
  text(value: number): string;
  /** Shorter, beside the scale. */
  axis?(value: number): string;
}

export const CHARTS: readonly TelemetryChartSpec[] = [
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

/** Lines that the board tells at all. */
export const toldLines = (spec: TelemetryChartSpec, points: readonly TelemetryPoint[]): readonly Line[] =>
  spec.lines.filter((line) => points.some((point) => line.value(point) !== undefined));

/** A hole this long is one: the board was away, and its line is broken. */
const HOLE_MS = 30_000;

export type ChartRow = { readonly at: number } & Readonly<Partial<Record<Line["key"], number | null>>>;

/** One row per point; where nothing was told for long, an empty one, so that the line has a gap. */
export const chartRows = (
  points: readonly TelemetryPoint[],
  lines: readonly Line[],
  most = 360,
): readonly ChartRow[] => {
  const step = Math.max(1, Math.ceil(points.length / most));
  const rows: ChartRow[] = [];
  let last: number | undefined;
  points.forEach((point, i) => {
    if (i % step !== 0 && i !== points.length - 1) return;
    const at = Date.parse(point.at);
    if (last !== undefined && at - last > Math.max(HOLE_MS, step * 10_000))
      rows.push({ at: last + 1, ...Object.fromEntries(lines.map(({ key }) => [key, null])) });
    rows.push({ at, ...Object.fromEntries(lines.map(({ key, value }) => [key, value(point) ?? null])) });
    last = at;
  });
  return rows;
};

/** "now 52 °C, 41 to 67 °C in this hour" */
export const rangeText = (
  line: Line,
  points: readonly TelemetryPoint[],
  text: (value: number) => string,
): string | undefined => {
  const values = points.flatMap((point) => line.value(point) ?? []);
  if (values.length === 0) return undefined;
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return text(low) === text(high) ? text(low) : `${text(low)} to ${text(high)}`;
};

/** A line per minute, newest first, for the table. */
export const perMinute = (points: readonly TelemetryPoint[]): readonly TelemetryPoint[] => {
  const minutes = new Map<number, TelemetryPoint>();
  for (const point of points) minutes.set(Math.floor(Date.parse(point.at) / 60_000), point);
  return [...minutes.values()].reverse();
};
