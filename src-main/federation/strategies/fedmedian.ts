/**
 * Coordinate-wise median. Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML
 * 2018. Of an even number of updates the mean of the middle two (integers: to the nearest, ties to even).
 */
import { divideHalfEven } from "#main/federation/elements.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createOrderStatistic } from "./order-statistics.ts";

export const createFedMedian = (): Strategy =>
  createOrderStatistic("fedmedian", {
    floats: (sorted) => {
      const middle = sorted.length >> 1;
      const high = sorted[middle]!;
      // Halved first: the sum of two large doubles could overflow. An odd count is taken as it is.
      return sorted.length % 2 === 1 ? high : sorted[middle - 1]! / 2 + high / 2;
    },
    integers: (sorted) => {
      const middle = sorted.length >> 1;
      const high = sorted[middle]!;
      return sorted.length % 2 === 1 ? high : divideHalfEven(sorted[middle - 1]! + high, 2n);
    },
  });
