import { expect, test } from "vitest";
import type { TelemetryPoint } from "#contract/boards.ts";
import {
  perMinute,
  rangeText,
  reportedLines,
  TELEMETRY_CHARTS,
  telemetryRows,
} from "#renderer/screens/board/telemetry-series.ts";

const point = (seconds: number, more: Partial<TelemetryPoint> = {}): TelemetryPoint => ({
  at: new Date(Date.parse("2026-03-01T10:00:00.000Z") + seconds * 1000).toISOString(),
  temperature: 50,
  ...more,
});
const [temperature, , load] = TELEMETRY_CHARTS;

test("a figure that the board does not report has no line", () => {
  expect(reportedLines(load!, [point(0, { cpu: 0.4 })]).map(({ key }) => key)).toEqual(["cpu"]);
  expect(reportedLines(load!, [point(0)])).toEqual([]);
});

test("a line is broken where the board was away, and thinned without losing its end", () => {
  const lines = reportedLines(temperature!, [point(0)]);
  const rows = telemetryRows([point(0), point(5), point(200), point(205)], lines);
  expect(rows.map((row) => row.temperature)).toEqual([50, 50, null, 50, 50]);
  const many = telemetryRows(
    Array.from({ length: 720 }, (_, i) => point(i * 5)),
    lines,
    100,
  );
  expect(many.length).toBeLessThanOrEqual(102);
  expect(many.at(-1)?.at).toBe(Date.parse(point(719 * 5).at));
  expect(many.every((row) => row.temperature === 50)).toBe(true);
});

test("the range of the hour in words, and one row per minute in the table", () => {
  const points = [
    point(0, { temperature: 41 }),
    point(61, { temperature: 66.6 }),
    point(62, { temperature: 60 }),
  ];
  expect(rangeText(temperature!.lines[0]!, points, temperature!.text)).toBe("41 °C to 67 °C");
  expect(rangeText(temperature!.lines[0]!, [], temperature!.text)).toBeUndefined();
  expect(perMinute(points).map((p) => p.temperature)).toEqual([60, 41]);
});
