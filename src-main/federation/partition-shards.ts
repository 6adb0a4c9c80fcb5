/**
 * Shards: each client holds s runs of samples of (nearly) one class. Two forms:
 *
 * - *sharding* of Lee et al., "Preservation of the Global Knowledge by Not-True Distillation in Federated Learning"
 *   (NeurIPS 2022): P = s·K / C shards per class; every class is dealt P times. Used when P is a whole number and
 *   every class has P samples at least. A client may draw a class twice, so it sees s classes at most.
 * - *sort and cut* of McMahan et al. (AISTATS 2017): all samples sorted by label and cut into s·K runs, which may
 *   straddle two classes; each client gets s runs. Used otherwise.
 *
 * The samples of a class are shuffled before they are cut, so that a file's own order plays no part.
 */
import type { Result } from "#contract/failure.ts";
import type { Deal, PartitionProblem } from "./deal.ts";
import { cutEvenly, samplesByClass } from "./partition-iid.ts";

export const dealShards = ({
  labels,
  classes,
  clients,
  random,
  shardsPerClient,
}: Deal & { shardsPerClient: number }): Result<number[][], PartitionProblem> => {
  const shards = shardsPerClient * clients;
  if (shards > labels.length) {
    return {
      ok: false,
      failure: {
        path: "partition.shardsPerClient",
        message: `${clients} clients with ${shardsPerClient} shards each need ${shards} shards, but there are ${labels.length} training samples; lower shardsPerClient or use fewer clients`,
      },
    };
  }
  const byClass = samplesByClass(labels, classes, random);
  const perClass = shards / classes;
  if (Number.isInteger(perClass) && byClass.every((list) => list.length >= perClass)) {
    const piles = byClass.map((list) => random.shuffle(cutEvenly(list, perClass)));
    const assigned = random.shuffle(Array.from({ length: shards }, (_, i) => i % classes));
    return {
      ok: true,
      value: Array.from({ length: clients }, (_, k) =>
        assigned
          .slice(k * shardsPerClient, (k + 1) * shardsPerClient)
          .flatMap((label) => piles[label]!.pop()!),
      ),
    };
  }
  const runs = random.shuffle(cutEvenly(byClass.flat(), shards));
  return {
    ok: true,
    value: Array.from({ length: clients }, (_, k) =>
      runs.slice(k * shardsPerClient, (k + 1) * shardsPerClient).flat(),
    ),
  };
};
