import type { Child, ForkChild } from "#contract/child.ts";
import { UserError } from "#contract/failure.ts";
import type { EngineInfo, Evaluation } from "#contract/jobs.ts";
import type { EngineKind } from "./engines/engine.ts";
import type { EvaluationJob, FromWorker, ToWorker } from "./evaluation-job.ts";

/** Central evaluation in a process of its own, so that the one that serves the wire stays free. */
export interface Evaluator {
  /**
   * @throws UserError for what a person can mend (data set, checkpoint, engine); Error when the worker process
   * died twice over the same job, with its last words.
   */
  evaluate(job: EvaluationJob): Promise<Evaluation>;
  /** The engine that evaluates; starts the process if need be. */
  engine(): Promise<EngineInfo>;
  /** Ends the process; jobs that still wait are rejected. */
  close(): Promise<void>;
}

export interface EvaluatorOptions {
  readonly fork: ForkChild;
  /** The worker's root, a file that calls `runEvaluationHost`. */
  readonly entry: URL;
  readonly engine?: EngineKind;
}

interface Pending {
  readonly message: ToWorker;
  attempts: number;
  resolve(value: FromWorker): void;
  reject(error: Error): void;
}

/** A worker that dies is started again, and its jobs with it, so often per job. */
const ATTEMPTS = 2;
const LAST_WORDS = 4000;

/** Starts no process yet: the first call does. */
export const createEvaluator = (options: EvaluatorOptions): Evaluator => {
  const pending = new Map<number, Pending>();
  let child: Child | undefined;
  let lastWords = "";
  let nextId = 1;
  let closed = false;

  const settle = (message: FromWorker): void => {
    const waiting = pending.get(message.id);
    if (waiting === undefined) return;
    pending.delete(message.id);
    if (message.kind !== "failed") waiting.resolve(message);
    else if (message.exitCode !== undefined) {
      waiting.reject(new UserError(message.message, { exitCode: message.exitCode }));
    } else {
      const error = new Error(`evaluation failed: ${message.message}`);
      error.stack = message.stack;
      waiting.reject(error);
    }
  };

  const onGone = (reason: string): void => {
    child = undefined;
    const words = lastWords.trim();
    for (const [id, waiting] of pending) {
      if (waiting.attempts < ATTEMPTS) continue;
      pending.delete(id);
      const why = `the evaluation process ${reason}${words ? `:\n${words}` : ""}`;
      waiting.reject(new UserError(why, { exitCode: 1 }));
    }
    for (const waiting of pending.values()) deliver(waiting);
  };

  const start = (): Child => {
    lastWords = "";
    const started = options.fork(options.entry, {
      name: "fedfleet evaluation",
      ...(options.engine ? { env: { FEDFLEET_ENGINE: options.engine } } : {}),
    });
    started.onOutput((text) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS);
    });
    started.onMessage((message) => settle(message as FromWorker));
    const gone = (reason: string) => {
      if (child === started) onGone(reason);
    };
    started.onError((error) => gone(`could not be started (${error.message})`));
    started.onExit((code, signal) =>
      gone(signal === "SIGKILL" ? "was killed (out of memory?)" : `ended (${signal ?? `exit code ${code}`})`),
    );
    return started;
  };

  const deliver = (waiting: Pending): void => {
    waiting.attempts += 1;
    child ??= start();
    // Lost where the process has just ended: its end delivers the job again.
    child.send(waiting.message);
  };

  const ask = (make: (id: number) => ToWorker): Promise<FromWorker> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new Error("the evaluator was closed"));
        return;
      }
      const message = make(nextId);
      nextId += 1;
      const waiting: Pending = { message, attempts: 0, resolve, reject };
      pending.set(message.id, waiting);
      deliver(waiting);
    });

  return {
    evaluate: async (job) => {
      const answer = await ask((id) => ({ kind: "evaluate", id, job }));
      if (answer.kind !== "evaluation") throw new Error(`expected an evaluation, got ${answer.kind}`);
      return answer.evaluation;
    },
    engine: async () => {
      const answer = await ask((id) => ({ kind: "engine", id }));
      if (answer.kind !== "engine") throw new Error(`expected an engine, got ${answer.kind}`);
      return answer.engine;
    },
    close: async () => {
      closed = true;
      for (const waiting of pending.values()) waiting.reject(new Error("the evaluator was closed"));
      pending.clear();
      const running = child;
      child = undefined;
      if (running === undefined || running.ended) return;
      await new Promise<void>((resolve) => {
        running.onExit(() => resolve());
        running.onError(() => resolve());
        running.kill();
      });
    },
  };
};
