/**
 * Coordinate-wise trimmed mean. Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical
 * Rates", ICML 2018: of n values the ⌊beta · n⌋ lowest and highest are dropped, the rest is averaged.
 */
import type { Study } from "#contract/study.ts";
import { divideHalfEven } from "#main/federation/elements.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createOrderStatistic } from "./order-statistics.ts";

export const createFedTrimmedAvg = ({ beta }: Study["fedtrimmedavg"]): Strategy => {
  // The tolerance gives the floor that the written numbers mean: 0.29 · 100 is 28.999… in binary.
  const cutOf = (n: number): number => Math.min(Math.floor(beta * n + 1e-9), (n - 1) >> 1);
  return createOrderStatistic("fedtrimmedavg", {
    // Dividing before summing keeps the largest doubles in range; float32 has 29 bits to spare either way.
    floats: (sorted) => {
      const cut = cutOf(sorted.length);
      const kept = sorted.length - 2 * cut;
      let sum = 0;
      for (let i = cut; i < cut + kept; i += 1) sum += sorted[i]!;
      if (Number.isFinite(sum)) return sum / kept;
      sum = 0;
      for (let i = cut; i < cut + kept; i += 1) sum += sorted[i]! / kept;
      return Math.max(sorted[cut]!, Math.min(sorted[cut + kept - 1]!, sum));
    },
    integers: (sorted) => {
      const cut = cutOf(sorted.length);
      const kept = sorted.slice(cut, sorted.length - cut);
      return divideHalfEven(
        kept.reduce((a, b) => a + b, 0n),
        BigInt(kept.length),
      );
    },
  });
};
