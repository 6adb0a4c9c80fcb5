/**
 * Latent Dirichlet allocation: the samples of each class are split over the clients by p ~ Dir(alpha). Hsu, Qi &
 * Brown, "Measuring the effects of non-identical data distribution for federated visual classification" (2019), with
 * the balancing rule of Wang et al. (ICLR 2020) that FedML and FedNTD use: a client that already holds N / K samples
 * gets nothing of the next classes. The whole draw is repeated until every client has `minSamples`.
 */
import type { Result } from "#contract/failure.ts";
import type { Deal, PartitionProblem } from "./deal.ts";
import { samplesByClass } from "./partition-iid.ts";
import type { Random } from "./random.ts";

/** Gamma variates that all attempts together may cost, about a second of computing. */
const WORK = 5_000_000;

export const dealDirichlet = ({
  labels,
  classes,
  clients,
  random,
  alpha,
  minSamples,
}: Deal & { alpha: number; minSamples: number }): Result<number[][], PartitionProblem> => {
  if (minSamples * clients > labels.length) {
    return {
      ok: false,
      failure: {
        path: "partition.minSamples",
        message: `${clients} clients with at least ${minSamples} samples each need ${minSamples * clients} training samples, but there are ${labels.length}; lower minSamples or use fewer clients`,
      },
    };
  }
  const byClass = samplesByClass(labels, classes, random);
  const sizes = byClass.map((list) => list.length);
  const attempts = Math.min(10_000, Math.max(50, Math.floor(WORK / (clients * classes))));
  let bestSmallest = -1;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const cuts = drawCuts(sizes, clients, labels.length, alpha, random);
    const smallest = smallestClient(cuts, clients);
    if (smallest >= minSamples) {
      return {
        ok: true,
        value: Array.from({ length: clients }, (_, k) =>
          byClass.flatMap((list, c) => list.slice(cuts[c]![k], cuts[c]![k + 1])),
        ),
      };
    }
    bestSmallest = Math.max(bestSmallest, smallest);
  }
  return {
    ok: false,
    failure: {
      path: "partition.alpha",
      message: `in each of ${attempts} draws with alpha ${alpha}, some client had fewer than ${minSamples} samples (${bestSmallest} in the best draw); raise alpha, lower partition.minSamples or use fewer clients`,
    },
  };
};

/** One draw: cuts[c][k] … cuts[c][k + 1] are the samples of class c that client k gets. */
const drawCuts = (
  sizes: readonly number[],
  clients: number,
  samples: number,
  alpha: number,
  random: Random,
): Int32Array[] => {
  const held = new Float64Array(clients);
  return sizes.map((size) => {
    // In logarithms, relative to the largest: at alpha 0.01 most of the variates themselves underflow to 0.
    const logs = Float64Array.from(held, (h) => {
      const log = random.logGamma(alpha);
      return h >= samples / clients ? Number.NEGATIVE_INFINITY : log;
    });
    const largest = logs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const shares = logs.map((log) => Math.exp(log - largest));
    const total = shares.reduce((a, b) => a + b, 0);
    const cuts = new Int32Array(clients + 1);
    let sum = 0;
    for (let k = 0; k < clients; k += 1) {
      sum += shares[k]!;
      // `sum` ends as exactly `total` (same additions), so the last cut is the class's size.
      cuts[k + 1] = Math.floor((sum / total) * size);
      held[k]! += cuts[k + 1]! - cuts[k]!;
    }
    return cuts;
  });
};

const smallestClient = (cuts: readonly Int32Array[], clients: number): number => {
  let smallest = Number.POSITIVE_INFINITY;
  for (let k = 0; k < clients; k += 1) {
    let size = 0;
    for (const cut of cuts) size += cut[k + 1]! - cut[k]!;
    smallest = Math.min(smallest, size);
  }
  return smallest;
};
