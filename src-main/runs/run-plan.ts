import type { Study } from "#contract/study.ts";
import type { Algorithm } from "#main/federation/algorithms.ts";
import type { Model } from "./ports.ts";

/** One run of a study, with its algorithm, model and devices. */
export interface RunPlan {
  readonly study: Study;
  readonly run: {
    readonly id: string;
    readonly algorithm: string;
    readonly trial: number;
    readonly seed: number;
  };
  readonly algorithm: Algorithm;
  readonly model: Model;
  /** The names of all devices of the study, connected or not. */
  readonly roster: readonly string[];
  /** Those of them that this computer hosts. */
  readonly hosted: readonly string[];
}
