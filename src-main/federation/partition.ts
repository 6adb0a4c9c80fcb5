/**
 * Who holds which samples. A partition is a function of the labels, the settings and the seed alone, so that every
 * algorithm and every trial of a study, on any machine, deals the same samples to the same clients.
 */
import type { ClassLabels, Partition } from "#contract/dataset.ts";
import type { Result } from "#contract/failure.ts";
import type { PartitionSettings } from "#contract/study.ts";
import type { PartitionProblem } from "./deal.ts";
import { dealClassSkew } from "./partition-class-skew.ts";
import { dealDirichlet } from "./partition-dirichlet.ts";
import { dealIid } from "./partition-iid.ts";
import { dealShards } from "./partition-shards.ts";
import { createRandom, deriveSeed } from "./random.ts";
import { dealTestSamples } from "./test-samples.ts";

export interface PartitionInput {
  readonly settings: PartitionSettings;
  /** One class index per training sample, below `classes`. */
  readonly trainLabels: ClassLabels;
  /** One class index per test sample, below `classes`. */
  readonly testLabels: ClassLabels;
  readonly classes: number;
  readonly clients: number;
  readonly seed: number;
  /** SHA-256 of a text's UTF-8 bytes, in hexadecimal. An argument, because this room uses nothing of the host. */
  readonly sha256: (text: string) => string;
}

/**
 * The text that a partition's `sha256` is taken over: JSON without white space,
 * `{"train":[[0,5],[1,2]],"test":[[3],[0]]}`, one ascending list per client, in the order of the clients. Python's
 * `json.dumps({"train": …, "test": …}, separators=(",", ":"))` writes the same.
 */
export const canonicalPartition = (p: Pick<Partition, "train" | "test">): string =>
  JSON.stringify({ train: p.train, test: p.test });

/**
 * Deals the training samples by the study's rule and the test samples in proportion to them. Every sample belongs
 * to one client at most; every client has at least one training sample.
 * @returns the partition, or the field that makes it impossible.
 * @throws RangeError for a label that is not below `classes` (a broken data set, not a wrong study).
 */
export const makePartition = (input: PartitionInput): Result<Partition, PartitionProblem> => {
  const { settings, trainLabels, testLabels, classes, clients, seed, sha256 } = input;
  for (const label of trainLabels) refuseLabel(label, classes);
  for (const label of testLabels) refuseLabel(label, classes);
  if (clients > trainLabels.length) {
    return {
      ok: false,
      failure: {
        path: "fleet.virtual",
        message: `${clients} clients cannot share ${trainLabels.length} training samples; use fewer clients`,
      },
    };
  }
  const random = createRandom(deriveSeed(seed, "partition", settings.kind));
  const deal = { labels: trainLabels, classes, clients, random };
  const dealt = dealBy(settings, deal);
  if (!dealt.ok) return dealt;
  const train = dealt.value.map((list) => list.sort((a, b) => a - b));
  const histogram = train.map((list) => {
    const counts = new Array<number>(classes).fill(0);
    for (const sample of list) counts[trainLabels[sample]!]! += 1;
    return counts;
  });
  const test = dealTestSamples({
    labels: testLabels,
    classes,
    histogram,
    random: createRandom(deriveSeed(seed, "partition", "test")),
  });
  return {
    ok: true,
    value: {
      kind: settings.kind,
      train,
      test,
      histogram,
      sha256: sha256(canonicalPartition({ train, test })),
    },
  };
};

const dealBy = (
  settings: PartitionSettings,
  deal: Parameters<typeof dealIid>[0],
): Result<number[][], PartitionProblem> => {
  switch (settings.kind) {
    case "iid":
      return { ok: true, value: dealIid(deal) };
    case "shards":
      return dealShards({ ...deal, shardsPerClient: settings.shardsPerClient });
    case "dirichlet":
      return dealDirichlet({ ...deal, alpha: settings.alpha, minSamples: settings.minSamples });
    case "class-skew":
      return dealClassSkew({ ...deal, main: settings.classes, high: settings.high, low: settings.low });
  }
};

const refuseLabel = (label: number, classes: number): void => {
  if (label >= classes) throw new RangeError(`label ${label} in a data set of ${classes} classes`);
};
