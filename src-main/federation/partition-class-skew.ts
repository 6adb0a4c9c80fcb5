/**
 * Class skew: each client has a few main classes and sees the others less often. The disjoint variant of the rule
 * that the nn-dist-train project samples by: there each client keeps every sample with probability `high` or `low`
 * on its own, so that clients overlap; here each sample has one owner, drawn among all clients with weight `high`
 * where its class is one of the client's main classes and `low` elsewhere.
 */
import type { Result } from "#contract/failure.ts";
import type { Deal, PartitionProblem } from "./deal.ts";

/**
 * @param input.main main classes per client. They are dealt evenly: every class is the main class of some client as
 *   soon as clients · main ≥ classes. With `low` 0, samples of a class that is no client's main class are not dealt.
 */
export const dealClassSkew = ({
  labels,
  classes,
  clients,
  random,
  main,
  high,
  low,
}: Deal & { main: number; high: number; low: number }): Result<number[][], PartitionProblem> => {
  const problem = (path: string, message: string) => ({ ok: false, failure: { path, message } }) as const;
  if (main > classes) {
    return problem(
      "partition.classes",
      `${main} main classes per client are more than the ${classes} classes of the data set`,
    );
  }
  if (high === 0 && low === 0) {
    return problem("partition.high", "high and low are both 0, so no client would get a sample");
  }
  const timesDealt = new Array<number>(classes).fill(0);
  const mains: number[][] = Array.from({ length: classes }, () => []);
  const others: number[][] = Array.from({ length: classes }, () => []);
  for (let k = 0; k < clients; k += 1) {
    const order = random.shuffle(Array.from({ length: classes }, (_, c) => c));
    order.sort((a, b) => timesDealt[a]! - timesDealt[b]!); // stable: ties stay shuffled
    order.forEach((label, i) => {
      if (i < main) timesDealt[label]! += 1;
      (i < main ? mains : others)[label]!.push(k);
    });
  }
  const held: number[][] = Array.from({ length: clients }, () => []);
  labels.forEach((label, sample) => {
    const strong = mains[label]!;
    const weak = others[label]!;
    const total = strong.length * high + weak.length * low;
    if (total === 0) return;
    // `next` is below 1, so the product is below `total` and an empty or weightless group is never chosen.
    const owners = random.next() * total < strong.length * high ? strong : weak;
    held[owners[random.int(owners.length)]!]!.push(sample);
  });
  const empty = held.filter((list) => list.length === 0).length;
  if (empty > 0) {
    return problem(
      high === 0 ? "partition.high" : "fleet.virtual",
      `${empty} of ${clients} clients would get no samples; ${high === 0 ? "raise high" : "use fewer clients"}`,
    );
  }
  return { ok: true, value: held };
};
