import type { Child, ForkChild } from "#contract/child.ts";
import type { DatasetLocation } from "#contract/dataset.ts";
import { UserError } from "#contract/failure.ts";
import type { Study } from "#contract/study.ts";
import type { Dealt, DeskJob, DeskLabels, DeskWork, FromDesk, SampleSheet, ToDesk } from "./desk-messages.ts";
import type { Examination } from "./examine.ts";
import type { Registered } from "./inspect.ts";

/** Heavy work on data sets in a process of its own, so that the one that serves pages stays free. */
export interface Desk {
  /** @throws UserError that names the file, as `loadDataset` does */
  labels(location: DatasetLocation): Promise<DeskLabels>;
  /** @throws UserError that names the file, as `loadDataset` does */
  samples(location: DatasetLocation, perClass: number): Promise<SampleSheet>;
  /** @throws UserError as `examine` does */
  examine(what: Examination): Promise<Registered>;
  /**
   * The partition that a study would have, without its lists of samples. One is dealt at a time; whose asker has left
   * before its turn is not dealt at all.
   */
  deal(study: Study, location: DatasetLocation, asker?: AbortSignal): Promise<Dealt>;
  /** Undefined while no process is there. */
  readonly pid: number | undefined;
  /** Ends the process; jobs that still wait are rejected. */
  close(): Promise<void>;
}

export interface DeskOptions {
  readonly fork: ForkChild;
  /** The child's root, a file that calls `runDeskHost`. */
  readonly entry: URL;
  /** A process without work ends after so long, in milliseconds. @default 60000 */
  readonly idleMs?: number;
}

interface Pending {
  readonly message: ToDesk;
  attempts: number;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A process that dies is started again, and its jobs with it, so often per job. */
const ATTEMPTS = 2;
const LAST_WORDS = 4000;

/** Starts no process yet: the first job does. */
export const createDesk = ({ fork, entry, idleMs = 60_000 }: DeskOptions): Desk => {
  const pending = new Map<number, Pending>();
  let child: Child | undefined;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 1;
  let closed = false;

  const settle = (message: FromDesk): void => {
    const waiting = pending.get(message.id);
    if (waiting === undefined) return;
    pending.delete(message.id);
    rest();
    if (message.ok) waiting.resolve(message.gives);
    else if (message.exitCode !== undefined) {
      waiting.reject(new UserError(message.message, { exitCode: message.exitCode }));
    } else {
      const error = new Error(`the data process failed: ${message.message}`);
      error.stack = message.stack;
      waiting.reject(error);
    }
  };

  /** Nothing is lost with an idle process but the labels it remembers. */
  const rest = (): void => {
    clearTimeout(idle);
    if (pending.size > 0) return;
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
      waiting.reject(new UserError(`the process that reads data sets ${reason}`, { exitCode: 1 }));
    }
    for (const waiting of pending.values()) deliver(waiting);
  };

  const start = (): Child => {
    let words = "";
    const started = fork(entry, { name: "fedfleet data" });
    let gone = false;
    const once = (reason: string) => {
      if (gone) return;
      gone = true;
      if (child === started) onGone(`${reason}${words.trim() ? `:\n${words.trim()}` : ""}`);
    };
    started.onOutput((text) => {
      words = (words + text).slice(-LAST_WORDS);
    });
    started.onMessage((message) => settle(message as FromDesk));
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
    child.send(waiting.message);
  };

  const ask = <K extends keyof DeskWork>(
    kind: K,
    takes: DeskWork[K]["takes"],
  ): Promise<DeskWork[K]["gives"]> =>
    new Promise<DeskWork[K]["gives"]>((resolve, reject) => {
      if (closed) {
        reject(new UserError("the lab is closing: the data set was not read", { exitCode: 130 }));
        return;
      }
      const message = { id: nextId, kind, takes } as DeskJob & { id: number };
      nextId += 1;
      const waiting: Pending = {
        message,
        attempts: 0,
        resolve: (value) => resolve(value as DeskWork[K]["gives"]),
        reject,
      };
      pending.set(message.id, waiting);
      deliver(waiting);
    });

  let dealing: Promise<unknown> = Promise.resolve();
  const deal: Desk["deal"] = (study, location, asker) => {
    const turn = async () => {
      // An impossible partition is tried for seconds, and whoever moves a slider asks for many.
      if (asker?.aborted) throw new UserError("nobody waits for this partition any more");
      return await ask("deal", { study, location });
    };
    const done = dealing.then(turn);
    dealing = done.catch(() => {});
    return done;
  };

  return {
    labels: (location) => ask("labels", location),
    samples: (location, perClass) => ask("samples", { location, perClass }),
    examine: (what) => ask("examine", what),
    deal,
    get pid() {
      return child?.pid;
    },
    async close() {
      closed = true;
      clearTimeout(idle);
      for (const waiting of pending.values()) {
        waiting.reject(new UserError("the lab is closing: the data set was not read", { exitCode: 130 }));
      }
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
