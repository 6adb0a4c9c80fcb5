import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRIC_NAME, MOST_REPORTED_METRICS, reportedMetricsSchema } from "#contract/metrics.ts";
import { sortReported } from "#main/runs/reported-metrics.ts";
import type { Config } from "#main/wire/protocol.ts";

/** With its own property for every name, "__proto__" too, as it comes off the wire. */
const config = (entries: readonly (readonly [string, Config[string]])[]): Config =>
  Object.fromEntries(entries);
const refusedFor = (name: string, value: Config[string]): string | undefined =>
  sortReported(config([[name, value]])).refused[0]?.cause;

test("numbers under names of the client's own are metrics", () => {
  const { metrics, refused } = sortReported({
    accuracy: 0.5,
    rank10: 0.4,
    "mAP@0.5": 0.25,
    "val/f1": -3,
    big: 12n,
    zero: 0,
  });
  expect(metrics).toEqual({ accuracy: 0.5, rank10: 0.4, "mAP@0.5": 0.25, "val/f1": -3, big: 12, zero: 0 });
  expect(refused).toEqual([]);
});

test("what the lab's own clients tell beside metrics is neither a metric nor refused", () => {
  const told = { device: "virtual-1", correct: 5, compute_ms: 12.5, loss: 9, accuracy: 0.5 };
  expect(sortReported(told)).toEqual({ metrics: { accuracy: 0.5 }, refused: [] });
});

test.each<[string, Config[string], string]>([
  ["text", "0.5", "it is text, not a number"],
  ["true", true, "it is true or false, not a number"],
  ["bytes", new Uint8Array(3), "it is bytes, not a number"],
  ["NaN", Number.NaN, "it is NaN, not a finite number"],
  ["infinity", Number.NEGATIVE_INFINITY, "it is -Infinity, not a finite number"],
])("%s is no metric, and the cause says so", (_, value, cause) => {
  expect(refusedFor("rank10", value)).toBe(cause);
});

test("a share outside its range is refused; a metric without a range may be anything", () => {
  expect(refusedFor("accuracy", 12.5)).toBe("12.5 is outside 0 to 1");
  expect(refusedFor("accuracy", -0.001)).toBe("-0.001 is outside 0 to 1");
  for (const value of [0, 1]) expect(refusedFor("accuracy", value)).toBeUndefined();
  const described = reportedMetricsSchema.parse({ rank10: { unit: "%" } });
  expect(sortReported({ rank10: 41.5 }, described)).toEqual({ metrics: { rank10: 41.5 }, refused: [] });
});

describe("names", () => {
  test.each(["__proto__", "", "1st", "_hidden", "two words", "é", "a\nb", "x".repeat(61)])(
    "%j is refused",
    (name) => {
      const { metrics, refused } = sortReported(config([[name, 0.5]]));
      expect(Object.keys(metrics)).toEqual([]);
      expect(Object.getPrototypeOf(metrics)).toBe(Object.prototype);
      expect(refused).toEqual([
        {
          name: name.slice(0, 60),
          cause: "a metric's name has up to 60 letters, digits or _ . @ / - and starts with a letter",
        },
      ]);
    },
  );

  test.each(["constructor", "toString", "hasOwnProperty"])("%s is a name like any other", (name) => {
    const { metrics, refused } = sortReported({ [name]: 0.5 });
    expect(Object.entries(metrics)).toEqual([[name, 0.5]]);
    expect(refused).toEqual([]);
  });
});

test("of more than 32 metrics the first 32 count, and the lab's own ones always", () => {
  const many = Array.from({ length: 40 }, (_, i) => [`m${i}`, i] as const);
  const { metrics, refused } = sortReported(config([...many, ["accuracy", 0.5]]));
  expect(Object.keys(metrics)).toEqual([...many.slice(0, 32).map(([name]) => name), "accuracy"]);
  expect(refused.map(({ name }) => name)).toEqual(many.slice(32).map(([name]) => name));
  expect(refused[0]!.cause).toBe("a client may report at most 32 metrics");
});

test("whatever a client reports, each name is a finite metric or is refused, and nothing throws", () => {
  const value = fc.oneof(
    fc.double(),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.string(),
    fc.boolean(),
    fc.uint8Array(),
  );
  const entries = fc.array(fc.tuple(fc.string(), value), { maxLength: 50 });
  fc.assert(
    fc.property(entries, (pairs) => {
      const reported = config(pairs);
      const { metrics, refused } = sortReported(reported);
      expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
      expect(Object.keys(metrics).every((name) => METRIC_NAME.test(name))).toBe(true);
      expect(Object.keys(metrics).length).toBeLessThanOrEqual(MOST_REPORTED_METRICS + 1);
      const ignored = ["device", "correct", "compute_ms", "loss"];
      const names = Object.keys(reported).filter((name) => !ignored.includes(name));
      expect(Object.keys(metrics).length + refused.length).toBe(names.length);
    }),
  );
});
