import { describe, expect, it } from "vitest";
import { metricOf } from "#contract/metrics.ts";
import type { ComparisonRow, Curve } from "#contract/views.ts";
import { dashOfStudy, lookOf } from "#renderer/charts/colours.ts";
import { lastRoundOf, seriesOfRows } from "#renderer/screens/compare/compare-series.ts";

const curve = (run: string, accuracy: readonly (number | null)[]): Curve => ({
  run,
  round: accuracy.map((_, i) => i),
  metrics: { accuracy, loss: accuracy },
  seconds: accuracy.map(() => 1),
  clients: accuracy.map(() => 2),
  failures: accuracy.map(() => 0),
});

const row = (study: string, algorithm: string, ...runs: (string | undefined)[]): ComparisonRow => ({
  key: `${study}/${algorithm}`,
  label: algorithm,
  study,
  studyName: study,
  algorithm,
  cells: runs.map((run, i) => ({ trial: i + 1, value: null, ...(run === undefined ? {} : { run }) })),
  mean: null,
  deviation: null,
  n: 0,
});

describe("lines of a comparison", () => {
  it("are the means over the trials of a row", () => {
    const [line] = seriesOfRows(
      {
        rows: [row("s", "fedavg", "r1", undefined, "r3")],
        curves: [curve("r3", [0.1, 0.5]), curve("r1", [0.3, 0.7])],
      },
      metricOf("accuracy"),
    );
    expect(line?.points.map(({ value }) => value)).toEqual([0.2, 0.6]);
    expect(line?.band).toHaveLength(2);
  });

  it("have the algorithm's colour, and of several studies the study's dash", () => {
    const curves = [curve("r1", [0.1]), curve("r2", [0.1])];
    const one = seriesOfRows(
      { rows: [row("a", "fedadam", "r1"), row("a", "fedntd", "r2")], curves },
      metricOf("accuracy"),
    );
    expect(one.map(({ dash }) => dash)).toEqual([lookOf("fedadam").dash, lookOf("fedntd").dash]);
    const two = seriesOfRows(
      { rows: [row("a", "fedntd", "r1"), row("b", "fedntd", "r2")], curves },
      metricOf("accuracy"),
    );
    expect(new Set(two.map(({ colour }) => colour))).toEqual(new Set([lookOf("fedntd").colour]));
    expect(two.map(({ dash }) => dash)).toEqual([dashOfStudy(0), dashOfStudy(1)]);
  });

  it("are not there before a round is", () => {
    const series = seriesOfRows(
      { rows: [row("s", "fedavg", "r1"), row("s", "fedntd", "r2")], curves: [curve("r1", [0.1, 0.2, 0.3])] },
      metricOf("accuracy"),
    );
    expect(series.map(({ key }) => key)).toEqual(["s/fedavg"]);
    expect(lastRoundOf(series)).toBe(2);
    expect(lastRoundOf([])).toBe(0);
  });
});
