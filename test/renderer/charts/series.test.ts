import { describe, expect, it } from "vitest";
import { metricOf } from "#contract/metrics.ts";
import type { Curve } from "#contract/views.ts";
import {
  meanOf,
  niceScale,
  placeLabels,
  pointsOf,
  type Series,
  scaleOf,
  spreadLabels,
  thinned,
} from "#renderer/charts/series.ts";

const line = (...values: number[]) => values.map((value, round) => ({ round, value }));

describe("mean over trials", () => {
  it("has the sample deviation around it", () => {
    const { points, band } = meanOf([line(0.1, 0.2), line(0.3, 0.6)]);
    expect(points.map(({ value }) => value)).toEqual([0.2, 0.4]);
    expect(band?.[1]?.high).toBeCloseTo(0.4 + Math.sqrt(0.08), 12);
    expect(band?.[1]?.low).toBeCloseTo(0.4 - Math.sqrt(0.08), 12);
  });

  it("ends where the shortest trial that has begun does, so that it never jumps", () => {
    const { points, band } = meanOf([line(0, 0, 0, 0), line(1, 1), []]);
    expect(points).toEqual([
      { round: 0, value: 0.5 },
      { round: 1, value: 0.5 },
    ]);
    expect(band).toHaveLength(2);
  });

  it("leaves out a round that one trial did not evaluate", () => {
    const gap = [
      { round: 0, value: 0.2 },
      { round: 2, value: 0.4 },
    ];
    expect(meanOf([line(0, 0, 0), gap]).points.map(({ round }) => round)).toEqual([0, 2]);
  });

  it("of one trial is that trial, without a band", () => {
    expect(meanOf([line(0.1, 0.5)])).toEqual({ points: line(0.1, 0.5) });
    expect(meanOf([])).toEqual({ points: [] });
  });
});

describe("points of a curve", () => {
  it("are only those that were measured", () => {
    const curve: Curve = {
      run: "r",
      round: [0, 1, 2],
      metrics: { accuracy: [0.1, null, 0.3], loss: [2, Number.POSITIVE_INFINITY, 1] },
      seconds: [0, 1, 1],
      clients: [0, 2, 2],
      failures: [0, 0, 0],
    };
    expect(pointsOf(curve, metricOf("accuracy")).map(({ round }) => round)).toEqual([0, 2]);
    expect(pointsOf(curve, metricOf("loss")).map(({ round }) => round)).toEqual([0, 2]);
    expect(pointsOf(curve, metricOf("constructor"))).toEqual([]);
  });
});

describe("scale", () => {
  it.each([
    [0, 0.82],
    [0, 1],
    [0.37, 0.82],
    [0, 2.31],
    [0, 500],
    [3, 3],
    [0, 0.00012],
    [-0.4, 1.3],
  ])("from %d to %d holds both, in even steps, with few ticks", (low, high) => {
    const { min, max, ticks } = niceScale(low, high);
    expect(min).toBeLessThanOrEqual(low);
    expect(max).toBeGreaterThanOrEqual(high - 1e-9);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(8);
    const steps = ticks.slice(1).map((tick, i) => tick - ticks[i]!);
    for (const step of steps) expect(step).toBeCloseTo(steps[0]!, 9);
  });

  it("has ticks that can be written", () => {
    expect(niceScale(0, 0.58).ticks).toEqual([0, 0.2, 0.4, 0.6]);
  });

  it("holds the whole band, the level of guessing, and no accuracy above one", () => {
    const series: Series = {
      key: "a",
      label: "a",
      algorithm: "fedavg",
      colour: "red",
      dash: undefined,
      kind: "mean",
      points: line(0.5, 0.9),
      band: [{ round: 1, low: 0.7, high: 1.1 }],
    };
    expect(scaleOf(metricOf("accuracy", {}, 10), [series])).toMatchObject({ min: 0, max: 1 });
    expect(scaleOf(metricOf("loss"), [series]).max).toBeGreaterThanOrEqual(1.1);
    expect(scaleOf(metricOf("accuracy", {}, 10), []).max).toBeGreaterThan(0.1);
  });
});

describe("thinning", () => {
  it("keeps both ends, the order, and no point twice", () => {
    const all = Array.from({ length: 1001 }, (_, i) => i);
    const few = thinned(all, 260);
    expect(few).toHaveLength(260);
    expect(few[0]).toBe(0);
    expect(few.at(-1)).toBe(1000);
    expect(new Set(few).size).toBe(260);
    expect(few.toSorted((a, b) => a - b)).toEqual(few);
  });

  it("leaves what is few enough as it is", () => {
    const all = [1, 2, 3];
    expect(thinned(all, 3)).toBe(all);
  });
});

describe("labels at the ends of lines", () => {
  const place = { gap: 16, min: 0, max: 200 };

  it("stay where they are when there is room", () => {
    expect(spreadLabels([100, 20, 60], place)).toEqual([100, 20, 60]);
  });

  it("are moved apart in their order, within the plot", () => {
    const placed = spreadLabels([199, 198, 198, 3, 2], place);
    const sorted = placed.toSorted((a, b) => a - b);
    for (const [i, y] of sorted.entries()) {
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(200);
      if (i > 0) expect(y - sorted[i - 1]!).toBeGreaterThanOrEqual(16);
    }
    expect(placed[0]).toBeGreaterThan(placed[1]!);
    expect(placed[3]).toBeGreaterThan(placed[4]!);
  });

  it("stay within the plot, closer together, when there are too many", () => {
    const placed = spreadLabels(
      Array.from({ length: 30 }, () => 190),
      place,
    );
    expect(Math.min(...placed)).toBeGreaterThanOrEqual(-1e-9);
    expect(Math.max(...placed)).toBeLessThanOrEqual(200);
    expect(new Set(placed.map((y) => y.toFixed(3))).size).toBe(30);
  });

  it("are pushed only by names beside them", () => {
    const ends = [
      { x: 500, y: 10 },
      { x: 100, y: 10 },
      { x: 500, y: 12 },
      { x: 90, y: 11 },
    ];
    const placed = placeLabels(ends, { ...place, width: 190 });
    expect(placed[0]).toBe(10);
    expect(placed[1]).toBe(10);
    expect(placed[2]).toBe(26);
    expect(placed[3]).toBe(26);
    expect(placeLabels([], { ...place, width: 190 })).toEqual([]);
  });
});
