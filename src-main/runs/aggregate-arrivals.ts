import type { Aggregation, Refusal, Update } from "#main/federation/strategy.ts";
import type { Asked } from "./client-timing.ts";
import { drive } from "./drive.ts";
import type { DeviceReply } from "./ports.ts";

/** Most updates that share one pass over the sums. */
const TOGETHER = 3;

/** An answer that can be aggregated. */
export interface Arrival {
  readonly asked: Asked;
  readonly reply: DeviceReply;
  readonly update: Update;
}

export interface Arrivals {
  /** Takes an update that has arrived; it is aggregated after those before it. */
  add(arrival: Arrival): void;
  /**
   * Closes the round to further updates. An aggregation in progress is finished: half an update would corrupt the sum.
   * @returns the updates that were still waiting
   */
  close(): Promise<readonly Arrival[]>;
}

/**
 * Aggregates updates as they arrive, up to three that wait together, one such batch at a time. The sums
 * get their memory while the clients download their weights and train.
 */
export const aggregateArrivals = (input: {
  readonly aggregation: Aggregation;
  /** Called once for each update. */
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
      // Synchronously after the last check of `waiting`, so the next update starts the next loop.
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
