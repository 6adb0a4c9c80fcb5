import type { ModelName } from "#contract/jobs.ts";
import type { MetricId } from "#contract/metrics.ts";

/** What is learned: its data, models, partitions and metrics, one of them primary. */
export interface TaskDefinition {
  /** What a study file calls it. */
  readonly name: string;
  readonly title: string;
  /** One sentence for a person who chooses. */
  readonly about: string;
  /** The form of its data: "labelled-images" has one class per image. */
  readonly data: "labelled-images";
  readonly models: readonly ModelName[];
  /** Kinds of partition that can deal its data. */
  readonly partitions: readonly string[];
  /** What each round is measured by, the primary metric first: it chooses the best round and stands in tables. */
  readonly metrics: readonly [primary: MetricId, ...others: MetricId[]];
}
