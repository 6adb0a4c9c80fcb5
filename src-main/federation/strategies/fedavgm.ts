/**
 * FedAvgM: server momentum. Hsu, Qi & Brown, "Measuring the effects of non-identical data distribution for federated
 * visual classification" (2019). d = g - mean, v ← momentum · v + d, g ← g - serverLr · v, v₀ = 0.
 */
import type { Study } from "#contract/study.ts";
import type { Strategy } from "#main/federation/strategy.ts";
import { createServerOptimizer } from "./server-optimizer.ts";

export const createFedAvgM = ({ momentum, serverLr }: Study["fedavgm"]): Strategy =>
  createServerOptimizer({
    name: "fedavgm",
    moments: ["velocity"],
    prepare: () => (g, mean, moments) => {
      const velocity = momentum * moments[0]! + (g - mean);
      moments[0] = velocity;
      return g - serverLr * velocity;
    },
  });
