/** Jobs that one process gives to a child of its own, and their answers. Both ends, for whatever kinds of jobs. */
import type { Child, ForkChild, Parent } from "./child.ts";
import { UserError } from "./failure.ts";

/** Each kind of work with what it takes and gives; both are structured-clone values. */
export type JobTypes<W> = { [K in keyof W]: { takes: unknown; gives: unknown } };

interface Job {
  readonly id: number;
  readonly kind: string;
  readonly takes: unknown;
}

type Answer =
  | { readonly id: number; readonly ok: true; readonly gives: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly message: string;
      readonly stack: string;
      /** Set where a person can mend it (UserError). */
      readonly exitCode?: number;
    };

export interface ChildJobsOptions {
  readonly fork: ForkChild;
  /** The child's root, a file that calls `answerJobs`. */
  readonly entry: URL;
  /** What lists of processes show. */
  readonly name: string;
  /** The child in a sentence, "the process that …". */
  readonly called: string;
  /** The error of a job that `close` prevented. */
  readonly closing: string;
  /** A process without work ends after this long, in milliseconds; Infinity means never. @default 60000 */
  readonly idleMs?: number | undefined;
  /** Added to the child's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface ChildJobs<W extends JobTypes<W>> {
  /** @throws UserError as the child does; UserError with the child's last words when it died twice over this job. */
  ask<K extends keyof W & string>(kind: K, takes: W[K]["takes"]): Promise<W[K]["gives"]>;
  /** Undefined while no process is there. */
  readonly pid: number | undefined;
  /** Ends the process; jobs that still wait are rejected. */
  close(): Promise<void>;
}

interface Pending {
  readonly job: Job;
  attempts: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** How often one job is tried: when the process dies, a new one gets its jobs. */
const ATTEMPTS = 2;
const LAST_WORDS = 4000;

/** Starts no process yet: the first job does. */
export const createChildJobs = <W extends JobTypes<W>>(options: ChildJobsOptions): ChildJobs<W> => {
  const { fork, entry, name, called, closing, idleMs = 60_000, env } = options;
  const pending = new Map<number, Pending>();
  let child: Child | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let nextId = 1;
  let closed = false;

  const settle = (answer: Answer): void => {
    const waiting = pending.get(answer.id);
    if (waiting === undefined) return;
    pending.delete(answer.id);
    rest();
    if (answer.ok) waiting.resolve(answer.gives);
    else if (answer.exitCode !== undefined) {
      waiting.reject(new UserError(answer.message, { exitCode: answer.exitCode }));
    } else {
      const error = new Error(`${called} failed: ${answer.message}`);
      error.stack = answer.stack;
      waiting.reject(error);
    }
  };

  /** An idle process can end: only what it remembers is lost. */
  const rest = (): void => {
    clearTimeout(idle);
    if (pending.size > 0 || idleMs === Number.POSITIVE_INFINITY) return;
    idle = setTimeout(() => {
      const resting = child;
      child = undefined;
      resting?.kill();
    }, idleMs);
    idle.unref();
  };

  const onGone = (reason: string): void => {
    child = undefined;
    for (const [id, waiting] of pending) {
      if (waiting.attempts < ATTEMPTS) continue;
      pending.delete(id);
      waiting.reject(new UserError(`${called} ${reason}`, { exitCode: 1 }));
    }
    for (const waiting of pending.values()) deliver(waiting);
  };

  const start = (): Child => {
    let words = "";
    const started = fork(entry, { name, ...(env === undefined ? {} : { env }) });
    let gone = false;
    const once = (reason: string) => {
      if (gone) return;
      gone = true;
      if (child === started) onGone(`${reason}${words.trim() ? `:\n${words.trim()}` : ""}`);
    };
    started.onOutput((text) => {
      words = (words + text).slice(-LAST_WORDS);
    });
    started.onMessage((message) => settle(message as Answer));
    started.onError((error) => once(`could not be started (${error.message})`));
    started.onExit((code, signal) =>
      once(signal === "SIGKILL" ? "was killed (out of memory?)" : `ended (${signal ?? `exit code ${code}`})`),
    );
    return started;
  };

  const deliver = (waiting: Pending): void => {
    clearTimeout(idle);
    waiting.attempts += 1;
    child ??= start();
    // Lost where the process has just ended: its end delivers the job again.
    child.send(waiting.job);
  };

  return {
    ask: (kind, takes) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new UserError(closing, { exitCode: 130 }));
          return;
        }
        const job = { id: nextId, kind, takes };
        nextId += 1;
        const waiting: Pending = { job, attempts: 0, resolve, reject };
        pending.set(job.id, waiting);
        deliver(waiting);
      }),
    get pid() {
      return child?.pid;
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      for (const waiting of pending.values()) waiting.reject(new UserError(closing, { exitCode: 130 }));
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

/** The child's side of `createChildJobs`: answers the parent's jobs until the parent goes. */
export const answerJobs = <W extends JobTypes<W>>(
  parent: Parent,
  work: { readonly [K in keyof W]: (takes: W[K]["takes"]) => Promise<W[K]["gives"]> },
): void => {
  const does = work as Readonly<Record<string, (takes: unknown) => Promise<unknown>>>;
  parent.onMessage(async (message) => {
    const { id, kind, takes } = message as Job;
    let answer: Answer;
    try {
      const doing = does[kind];
      if (doing === undefined) throw new Error(`no work is called ${kind}`);
      answer = { id, ok: true, gives: await doing(takes) };
    } catch (error) {
      const known = error instanceof Error ? error : new Error(String(error));
      const exitCode = known instanceof UserError ? { exitCode: known.exitCode } : {};
      answer = { id, ok: false, message: known.message, stack: known.stack ?? "", ...exitCode };
    }
    parent.send(answer);
  });
};

/** Does one piece of work after the other. */
export type Turns = <T>(work: () => Promise<T>, asker?: AbortSignal) => Promise<T>;

/**
 * A queue for work that is done one piece at a time.
 *
 * @param cancelled the UserError of an asker who leaves, at once; work whose turn has not come by then is skipped
 */
export const createTurns = (cancelled = "cancelled"): Turns => {
  let last: Promise<unknown> = Promise.resolve();
  return (work, asker) => {
    const turn = last.then(() => {
      if (asker?.aborted) throw new UserError(cancelled);
      return work();
    });
    last = turn.catch(() => {});
    if (asker === undefined) return turn;
    return new Promise((resolve, reject) => {
      const leave = () => reject(new UserError(cancelled));
      if (asker.aborted) leave();
      asker.addEventListener("abort", leave, { once: true });
      const stay = () => asker.removeEventListener("abort", leave);
      turn.then(resolve, reject).then(stay);
    });
  };
};
