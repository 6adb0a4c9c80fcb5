/**
 * FedYogi. Reddi et al., "Adaptive Federated Optimization", ICLR 2021: D = mean - g, m ← b1 m + (1 - b1) D,
 * v ← v - (1 - b2) D² sign(v - D²), g ← g + serverLr · m / (√v + tau), m₀ = v₀ = 0.
 */
import type { Study } from "#contract/study.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createServerOptimizer } from "./server-optimizer.ts";

export const createFedYogi = ({ serverLr, beta1, beta2, tau }: Study["fedyogi"]): Strategy =>
  createServerOptimizer({
    name: "fedyogi",
    moments: ["m", "v"],
    prepare: () => (g, mean, moments) => {
      const delta = mean - g;
      const square = delta * delta;
      const m = beta1 * moments[0]! + (1 - beta1) * delta;
      // v never falls below 0 in exact arithmetic; rounding may take it there by a hair.
      const v = Math.max(0, moments[1]! - (1 - beta2) * square * Math.sign(moments[1]! - square));
      moments[0] = m;
      moments[1] = v;
      return g + (serverLr * m) / (Math.sqrt(v) + tau);
    },
  });
