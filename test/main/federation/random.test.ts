import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, deriveSeed } from "#main/federation/random.ts";

const many = <T>(n: number, draw: () => T): T[] => Array.from({ length: n }, draw);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe("createRandom", () => {
  it("gives these values for ever: every published run depends on them", () => {
    const random = createRandom(1);
    expect(many(3, random.uint32)).toEqual([2442144158, 3238099751, 3819917871]);
    expect(random.next()).toBe(0.4900204574360133);
    expect(random.int(10)).toBe(8);
    expect(random.normal()).toBe(-1.2118435377053631);
    expect(random.gamma(0.5)).toBe(0.13631318562537068);
    expect(random.logGamma(0.01)).toBe(-52.6134907511606);
    expect(createRandom(7).shuffle([1, 2, 3, 4, 5, 6])).toEqual([6, 4, 5, 2, 3, 1]);
  });

  it("draws from the distributions it names", () => {
    const random = createRandom(42);
    const n = 40_000;
    const uniform = many(n, random.next);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(mean(uniform)).toBeCloseTo(0.5, 1.7);
    const normal = many(n, random.normal);
    expect(Math.abs(mean(normal))).toBeLessThan(0.02);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
    expect(mean(normal.map((x) => x ** 4))).toBeCloseTo(3, 0);
    for (const shape of [0.1, 0.5, 1, 3, 20]) {
      const gamma = many(n, () => random.gamma(shape));
      const average = mean(gamma);
      const variance = mean(gamma.map((x) => (x - average) ** 2));
      // Both are `shape`; five standard errors.
      expect(Math.abs(average - shape)).toBeLessThan(5 * Math.sqrt(shape / n));
      expect(Math.abs(variance / shape - 1)).toBeLessThan(5 * Math.sqrt((2 + 6 / shape) / n));
    }
    const dice = many(60_000, () => random.int(6));
    for (let face = 0; face < 6; face += 1) {
      expect(Math.abs(dice.filter((d) => d === face).length - 10_000)).toBeLessThan(500);
    }
  });

  it("shuffles every permutation equally likely", () => {
    const random = createRandom(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i += 1) {
      const key = random.shuffle([0, 1, 2, 3]).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(160);
  });

  it("keeps tiny gamma shapes finite in logarithms", () => {
    const random = createRandom(5);
    for (let i = 0; i < 1000; i += 1) expect(Number.isFinite(random.logGamma(1e-4))).toBe(true);
  });

  it("refuses what it cannot draw", () => {
    const random = createRandom(0);
    for (const n of [0, -1, 1.5, 2 ** 33, Number.NaN]) expect(() => random.int(n)).toThrow(RangeError);
    for (const shape of [0, -1, Number.NaN]) expect(() => random.gamma(shape)).toThrow(RangeError);
    expect(() => createRandom(0.5)).toThrow(RangeError);
  });
});

describe("deriveSeed", () => {
  it("gives these values for ever", () => {
    expect(deriveSeed()).toBe(2872998923);
    expect(deriveSeed(1, "draw", 3)).toBe(3012822281);
    expect(deriveSeed(4294967295, "größe 🦊")).toBe(3709935323);
  });

  it("is a uint32 that tells numbers from texts and part from part", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer(), fc.string())), (parts) => {
        const seed = deriveSeed(...parts);
        expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
      }),
    );
    const seeds = [
      deriveSeed(1),
      deriveSeed("1"),
      deriveSeed("a", "b"),
      deriveSeed("ab"),
      deriveSeed("ab", ""),
      deriveSeed(1, 23),
      deriveSeed(12, 3),
    ];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(() => deriveSeed(Number.NaN)).toThrow(RangeError);
  });

  it("spreads neighbouring rounds and trials", () => {
    const seeds = Array.from({ length: 10_000 }, (_, i) => deriveSeed(1, "batches", i, `virtual-${i % 7}`));
    expect(new Set(seeds).size).toBeGreaterThanOrEqual(9999);
    const ones = seeds.reduce((sum, s) => sum + s.toString(2).replaceAll("0", "").length, 0);
    expect(ones / seeds.length).toBeCloseTo(16, 0);
  });
});
