import { describe, expect, it } from "vitest";
import { bytes, duration, estimate, percent, plural, points, someOf } from "#renderer/ui/format.ts";

describe("how the page writes figures", () => {
  it("percent and points", () => {
    expect([percent(0.4604), percent(null), percent(Number.NaN), percent(1, 2)]).toEqual([
      "46.0%",
      "–",
      "–",
      "100.00%",
    ]);
    expect([points(0.125), points(-0.051), points(0), points(0.0004), points(-0.0004)]).toEqual([
      "+12.5",
      "−5.1",
      "0.0",
      "0.0",
      "0.0",
    ]);
  });

  it("sizes in decimal units, without a thousand of any", () => {
    expect([bytes(0), bytes(999), bytes(1000), bytes(247_000), bytes(999_600), bytes(44_700_000)]).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "247 kB",
      "1.0 MB",
      "44.7 MB",
    ]);
  });

  it("durations and estimates", () => {
    expect([0.25, 7.04, 14, 89.6, 600, 7800, 400_000].map(duration)).toEqual([
      "250 ms",
      "7.0 s",
      "14 s",
      "90 s",
      "10 min",
      "2 h 10 min",
      "5 days",
    ]);
    expect([0, 6.6, 27, 240].map(estimate)).toEqual(["1 s", "7 s", "25 s", "4 min"]);
  });

  it("counts and lists", () => {
    expect([plural(1, "round"), plural(1200, "round"), plural(2, "study", "studies")]).toEqual([
      "1 round",
      "1,200 rounds",
      "2 studies",
    ]);
    expect([someOf(["a"]), someOf(["a", "b"]), someOf(["a", "b", "c", "d", "e"])]).toEqual([
      "a",
      "a and b",
      "a, b, c and 2 more",
    ]);
  });
});
