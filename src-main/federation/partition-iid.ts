/** The iid partition of McMahan et al. (AISTATS 2017): shuffle, then cut into equal parts. */
import type { ClassLabels } from "#contract/dataset.ts";
import type { Deal } from "./deal.ts";
import type { Random } from "./random.ts";

/** Sample indices by class, each list shuffled: labels (N) → classes lists. */
export const samplesByClass = (labels: ClassLabels, classes: number, random: Random): number[][] => {
  const lists: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, sample) => {
    lists[label]!.push(sample);
  });
  return lists.map((list) => random.shuffle(list));
};

/** Cuts a list into `parts` runs whose lengths differ by one at most; the first ones are the longer. */
export const cutEvenly = (list: readonly number[], parts: number): number[][] => {
  const short = Math.floor(list.length / parts);
  const longer = list.length % parts;
  return Array.from({ length: parts }, (_, k) => {
    const from = k * short + Math.min(k, longer);
    return list.slice(from, from + short + (k < longer ? 1 : 0));
  });
};

/** Deals all samples; when N is no multiple of the clients, the first N mod K clients hold one more. */
export const dealIid = ({ labels, clients, random }: Deal): number[][] =>
  cutEvenly(random.shuffle(Array.from(labels, (_, sample) => sample)), clients);
