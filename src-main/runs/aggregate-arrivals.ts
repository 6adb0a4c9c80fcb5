import type { Aggregation, Refusal, Update } from "#main/federation/strategy.ts";
import type { Asked } from "./client-timing.ts";
import { drive } from "./drive.ts";
import type { DeviceReply } from "./ports.ts";

/** Updates that share one pass over the sums, at most. */
const TOGETHER = 3;

/** An answer that can be aggregated. */
export interface Arrival {
  readonly asked: Asked;
  readonly reply: DeviceReply;
  readonly update: Update;
}

export interface Arrivals {
  /** An update has come: it is aggregated as soon as those before it are. */
  add(arrival: Arrival): void;
  /**
   * Lets no further update in. An update that is being aggregated is finished: half of one would poison the sum.
   * @returns those that still waited
   */
  close(): Promise<readonly Arrival[]>;
}

/**
 * Aggregates updates as they arrive, up to three that wait together, one such batch at a time. While the clients
 * get their weights and train, the sums get their memory.
 */
export const aggregateArrivals = (input: {
  readonly aggregation: Aggregation;
  /** What became of each. */
  onVerdict(arrival: Arrival, refusal: Refusal | undefined): void;
  onBroken(error: unknown): void;
}): Arrivals => {
  const { aggregation } = input;
  const waiting: Arrival[] = [];

  const take = async (batch: readonly Arrival[]): Promise<void> => {
    const verdicts = await drive(aggregation.take(batch.map(({ update }) => update)));
    batch.forEach((arrival, i) => {
      const verdict = verdicts[i];
      if (verdict === undefined) throw new Error("an update without a verdict");
      input.onVerdict(arrival, verdict.ok ? undefined : verdict.failure);
    });
  };

  const work = async (isFirst: boolean): Promise<void> => {
    try {
      if (isFirst) await drive(aggregation.prepare());
      while (waiting.length > 0) await take(waiting.splice(0, TOGETHER));
    } catch (error) {
      input.onBroken(error);
    } finally {
      // In the same breath as the last look at `waiting`: the next update starts the next loop.
      working = undefined;
    }
  };
  let working: Promise<void> | undefined = work(true);

  return {
    add(arrival) {
      waiting.push(arrival);
      working ??= work(false);
    },
    async close() {
      const left = waiting.splice(0);
      await working;
      return left;
    },
  };
};
