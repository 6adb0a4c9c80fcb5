/**
 * The test samples that a client evaluates on: of each class in proportion to the client's share of that class's
 * training samples, so that a client is tested on what it was trained on.
 */
import type { ClassLabels } from "#contract/dataset.ts";
import { samplesByClass } from "./partition-iid.ts";
import type { Random } from "./random.ts";

/**
 * Largest-remainder apportionment, class by class, in whole numbers. Of equal remainders the client with fewer test
 * samples so far goes first, then the one with the lower index. Test samples of a class that no client trains on stay
 * undealt.
 * @param input.histogram histogram[k][c] = training samples of class c on client k.
 * @returns one ascending list per client.
 */
export const dealTestSamples = (input: {
  readonly labels: ClassLabels;
  readonly classes: number;
  readonly histogram: readonly (readonly number[])[];
  readonly random: Random;
}): number[][] => {
  const { labels, classes, histogram, random } = input;
  const held: number[][] = histogram.map(() => []);
  samplesByClass(labels, classes, random).forEach((samples, c) => {
    const total = histogram.reduce((sum, counts) => sum + counts[c]!, 0);
    if (total === 0) return;
    const quotas = histogram.map((counts) => Math.floor((samples.length * counts[c]!) / total));
    const remainder = (k: number) => (samples.length * histogram[k]![c]!) % total;
    const left = samples.length - quotas.reduce((a, b) => a + b, 0);
    const order = histogram
      .map((_, k) => k)
      .sort((a, b) => remainder(b) - remainder(a) || held[a]!.length - held[b]!.length || a - b);
    for (const k of order.slice(0, left)) quotas[k]! += 1;
    let from = 0;
    quotas.forEach((quota, k) => {
      for (let i = from; i < from + quota; i += 1) held[k]!.push(samples[i]!);
      from += quota;
    });
  });
  return held.map((list) => list.sort((a, b) => a - b));
};
