import { describe, expect, test } from "vitest";
import {
  bestOf,
  gainOf,
  METRICS,
  MOST_REPORTED_METRICS,
  metricHeading,
  metricOf,
  metricText,
  metricWord,
  reportedMetricsSchema,
} from "#contract/metrics.ts";

const described = reportedMetricsSchema.parse({
  rank10: { title: "Rank-10", unit: "%" },
  seconds: { better: "lower" },
});

describe("a metric by its id", () => {
  test("of the lab's own has its chance level from the number of classes", () => {
    expect(metricOf("accuracy", {}, 10)).toEqual({
      id: "accuracy",
      title: "Accuracy",
      unit: "%",
      better: "higher",
      range: [0, 1],
      chance: 0.1,
    });
    for (const classes of [0, 1]) expect(metricOf("accuracy", {}, classes).chance).toBeNull();
    expect(metricOf("loss", {}, 10)).toMatchObject({ title: "Loss", better: "lower", chance: null });
    for (const [id, metric] of Object.entries(METRICS)) expect(metric.id).toBe(id);
  });

  test("that the study file describes is as described; the rest has defaults", () => {
    expect(metricOf("rank10", described)).toEqual({
      id: "rank10",
      title: "Rank-10",
      unit: "%",
      better: "higher",
      chance: null,
    });
    expect(metricOf("seconds", described)).toMatchObject({ title: "seconds", unit: "", better: "lower" });
  });

  test.each(["mAP", "constructor", "toString"])(
    "that clients report without a description, like %s, is a plain number, and higher is better",
    (id) => {
      expect(metricOf(id, described, 10)).toEqual({
        id,
        title: id,
        unit: "",
        better: "higher",
        chance: null,
      });
    },
  );
});

describe("how good a value is", () => {
  test("depends on the direction", () => {
    expect(gainOf(METRICS.accuracy, 0.75, 0.5)).toBe(0.25);
    expect(gainOf(METRICS.loss, 0.75, 0.5)).toBe(-0.25);
  });

  test("the best is taken of finite values; there is none of none", () => {
    const values = [null, 0.5, Number.NaN, 0.75, undefined, Number.POSITIVE_INFINITY, 0.25];
    expect(bestOf(METRICS.accuracy, values)).toBe(0.75);
    expect(bestOf(METRICS.loss, values)).toBe(0.25);
    expect(bestOf(METRICS.loss, [null, Number.NaN])).toBeNull();
  });
});

test("shares are shown in percent with two digits, other numbers with four", () => {
  const rank10 = metricOf("rank10", described);
  const plain = metricOf("mAP");
  expect([metricText(rank10, 0.41234), metricText(METRICS.loss, 1.23456), metricText(plain, 0.5)]).toEqual([
    "41.23",
    "1.2346",
    "0.5000",
  ]);
  expect([METRICS.accuracy, METRICS.loss, rank10, plain].map(metricHeading)).toEqual([
    "Accuracy (%)",
    "Loss (nats)",
    "Rank-10 (%)",
    "mAP",
  ]);
  expect([METRICS.accuracy, METRICS.loss, rank10, plain].map(metricWord)).toEqual([
    "accuracy",
    "loss",
    "Rank-10",
    "mAP",
  ]);
});

describe("metrics in a study file", () => {
  const messages = (input: unknown) =>
    reportedMetricsSchema.safeParse(input).error?.issues.map(({ message }) => message) ?? [];

  test("may not be called like one that the lab measures itself", () => {
    expect(messages({ accuracy: {} })).toEqual([
      "accuracy is measured by the lab itself; give the client's metric another name",
    ]);
  });

  test.each(["1st", "", "_private", "with space", "é", "x".repeat(61)])("may not be called %j", (name) =>
    expect(messages(Object.fromEntries([[name, {}]]))).not.toEqual([]),
  );

  test("have no name that means something to every object", () => {
    const { data } = reportedMetricsSchema.safeParse(Object.fromEntries([["__proto__", {}]]));
    expect(Object.keys(data ?? {})).toEqual([]);
    expect(Object.getPrototypeOf(data ?? {})).toBe(Object.prototype);
    expect(Object.keys(reportedMetricsSchema.parse({ constructor: {} }))).toEqual(["constructor"]);
  });

  test("are 32 at most, each with known settings", () => {
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, {}]));
    expect(messages(many(MOST_REPORTED_METRICS))).toEqual([]);
    expect(messages(many(33))).toEqual(["describes 33 metrics; at most 32 are allowed"]);
    expect(messages({ rank10: { better: "bigger" } })).toHaveLength(1);
    expect(messages({ rank10: { colour: "red" } })).toHaveLength(1);
  });
});
