/** What the kinds of partition share: what is dealt, to how many, and why it may be impossible. */
import type { ClassLabels } from "#contract/dataset.ts";
import type { Random } from "./random.ts";

export interface Deal {
  /** One class index per training sample. */
  readonly labels: ClassLabels;
  readonly classes: number;
  readonly clients: number;
  readonly random: Random;
}

/** An impossible setting: the study field that must change, and why. */
export interface PartitionProblem {
  readonly path: string;
  readonly message: string;
}
