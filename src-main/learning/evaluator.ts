import type { ForkChild } from "#contract/child.ts";
import { createChildJobs } from "#contract/child-jobs.ts";
import type { EngineInfo, Evaluation } from "#contract/jobs.ts";
import type { EngineKind } from "./engines/engine.ts";
import type { EvaluationJob, EvaluationWork } from "./evaluation-job.ts";

/** Central evaluation in a process of its own, so that the one that serves clients and pages stays free. */
export interface Evaluator {
  /**
   * @throws UserError for what a person can fix (data set, checkpoint, engine), or with the process's last words when
   * it died twice over the same job
   */
  evaluate(job: EvaluationJob): Promise<Evaluation>;
  /** The engine that evaluates; starts the process if need be. */
  engine(): Promise<EngineInfo>;
  /** Undefined while there is no process. */
  readonly pid: number | undefined;
  /** Ends the process; jobs that still wait are rejected. */
  close(): Promise<void>;
}

export interface EvaluatorOptions {
  readonly fork: ForkChild;
  /** The child's root, a file that calls `runEvaluationHost`. */
  readonly entry: URL;
  /** @default the engine that this process would choose */
  readonly engine?: EngineKind;
  /** A process without work ends after this long, in milliseconds. @default 600000 */
  readonly idleMs?: number;
}

/**
 * Opening the engine and the data set again costs seconds, which a round longer than this does not notice; a lab that
 * is left open overnight gets the memory back.
 */
const IDLE_MS = 10 * 60_000;

/** Starts no process yet: the first call does. */
export const createEvaluator = ({ fork, entry, engine, idleMs = IDLE_MS }: EvaluatorOptions): Evaluator => {
  const jobs = createChildJobs<EvaluationWork>({
    fork,
    entry,
    name: "fedfleet evaluation",
    called: "the evaluation process",
    closing: "the lab is closing: the model was not evaluated",
    idleMs,
    env: engine && { FEDFLEET_ENGINE: engine },
  });
  return {
    evaluate: (job) => jobs.ask("evaluate", job),
    engine: () => jobs.ask("engine", undefined),
    get pid() {
      return jobs.pid;
    },
    close: jobs.close,
  };
};
