/**
 * FedAdam. Reddi et al., "Adaptive Federated Optimization", ICLR 2021, with the bias correction that Flower added in
 * its later versions: D = mean - g, m ← b1 m + (1 - b1) D, v ← b2 v + (1 - b2) D²,
 * g ← g + serverLr · √(1 - b2^(r+1)) / (1 - b1^(r+1)) · m / (√v + tau), with r the step from 1 and m₀ = v₀ = 0.
 */
import type { Study } from "#contract/study.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createServerOptimizer } from "./server-optimizer.ts";

export const createFedAdam = ({ serverLr, beta1, beta2, tau }: Study["fedadam"]): Strategy =>
  createServerOptimizer({
    name: "fedadam",
    moments: ["m", "v"],
    prepare: (step) => {
      const rate = (serverLr * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
      return (g, mean, moments) => {
        const delta = mean - g;
        const m = beta1 * moments[0]! + (1 - beta1) * delta;
        const v = beta2 * moments[1]! + (1 - beta2) * delta * delta;
        moments[0] = m;
        moments[1] = v;
        return g + (rate * m) / (Math.sqrt(v) + tau);
      };
    },
  });
