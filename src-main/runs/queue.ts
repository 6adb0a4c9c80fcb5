import type { Emit } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import type { Activity } from "#contract/views.ts";
import type { Control, Gate } from "./ports.ts";
import { createUserRequest, type UserRequest } from "./user-request.ts";

export interface QueuePorts {
  /** Conducts a recorded study; rejects with a UserError when it cannot continue. */
  conduct(id: string, control: Control): Promise<unknown>;
  /** The record of a study; undefined where there is none. */
  record(id: string): { readonly status: string; readonly reason?: string } | undefined;
  readonly emit: Emit;
  /** Hears why a study could not continue, for the person who watches. A bug arrives as it was thrown. */
  onProblem(id: string, error: unknown): void;
}

export type Queue = ReturnType<typeof createQueue>;

interface Current {
  readonly id: string;
  phase: NonNullable<Activity["phase"]>;
  /** True once it has reached the gate: its equipment is up by then. */
  equipped: boolean;
  readonly afterRound: AbortController;
  readonly startWithout: UserRequest;
  readonly now: AbortController;
  /** Set while it is paused, or about to be; opens the gate. */
  paused: { readonly opened: Promise<void>; open(): void } | undefined;
  /** Called when a person pauses it. */
  readonly onPause: Set<() => void>;
  readonly over: Promise<void>;
}

const NEVER_STARTED = "the lab was closed before this study started";

/** Conducts one study at a time; studies started meanwhile are queued. */
export const createQueue = (ports: QueuePorts) => {
  let current: Current | undefined;
  let waiting: readonly string[] = [];
  let closed = false;
  const listeners = new Set<(activity: Activity) => void>();

  const activity = (): Activity =>
    current === undefined ? { queue: waiting } : { study: current.id, phase: current.phase, queue: waiting };
  const changed = (): Activity => {
    const now = activity();
    for (const listener of listeners) listener(now);
    return now;
  };
  const setPhase = (study: Current, phase: Current["phase"]): void => {
    if (study.phase === phase) return;
    study.phase = phase;
    changed();
  };

  const gateOf = (study: () => Current): Gate => ({
    get isClosed() {
      return study().paused !== undefined;
    },
    onClose(listener) {
      const { onPause } = study();
      onPause.add(listener);
      return () => onPause.delete(listener);
    },
    async pass() {
      const it = study();
      it.equipped = true;
      let told = false;
      while (it.paused !== undefined) {
        if (!told) ports.emit({ kind: "study-paused", study: it.id });
        told = true;
        setPhase(it, "paused");
        await it.paused.opened;
      }
      if (it.afterRound.signal.aborted || it.now.signal.aborted) return;
      if (told) ports.emit({ kind: "study-continued", study: it.id });
      setPhase(it, "running");
    },
  });

  const openGate = (study: Current): void => {
    study.paused?.open();
    study.paused = undefined;
  };

  const conduct = async (id: string, control: Control): Promise<void> => {
    try {
      await ports.conduct(id, control);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const known = ports.record(id);
      const isTold = known?.status === "interrupted" && known.reason === reason;
      if (known !== undefined && !isTold) {
        ports.emit({ kind: "study-ended", study: id, status: "interrupted", reason });
      }
      ports.onProblem(id, error);
    }
  };

  const begin = (id: string): void => {
    const now = new AbortController();
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const study: Current = {
      id,
      phase: "starting",
      equipped: false,
      afterRound: new AbortController(),
      startWithout: createUserRequest(),
      now,
      paused: undefined,
      onPause: new Set(),
      over,
    };
    current = study;
    const control: Control = {
      afterRound: study.afterRound.signal,
      startWithout: study.startWithout,
      now: now.signal,
      gate: gateOf(() => study),
    };
    // The caller gets its answer before the work begins.
    setImmediate(async () => {
      await conduct(id, control);
      openGate(study);
      current = undefined;
      next();
      resolve();
    });
  };

  const next = (): void => {
    const [first, ...rest] = waiting;
    if (current === undefined && first !== undefined && !closed) {
      waiting = rest;
      begin(first);
    }
    changed();
  };

  const enqueue = (id: string): Activity => {
    if (closed) throw new UserError("The lab is closing. Start it again and resume the study.");
    if (!waiting.includes(id)) waiting = [...waiting, id];
    next();
    return activity();
  };

  const running = (id: string): Current => {
    if (current?.id === id) return current;
    throw new UserError(
      waiting.includes(id)
        ? "The study has not started yet. Remove it from the queue instead."
        : "The study is not running.",
    );
  };

  return {
    activity,
    onChange(listener: (activity: Activity) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Starts a recorded study, or queues it. */
    start: enqueue,
    /** A paused study continues immediately; a stopped or stopping one is queued. */
    resume(id: string): Activity {
      if (current?.id !== id) return enqueue(id);
      if (current.paused !== undefined) {
        current.phase = current.equipped ? "running" : "starting";
        openGate(current);
        return changed();
      }
      const isStopping = current.phase === "stopping-after-round" || current.phase === "stopping-now";
      return isStopping ? enqueue(id) : activity();
    },
    /** @throws UserError when it is not running, or is stopping. */
    pause(id: string): Activity {
      const study = running(id);
      if (study.afterRound.signal.aborted || study.now.signal.aborted) {
        throw new UserError("The study is stopping. Resume it once it has stopped.");
      }
      if (study.paused !== undefined) return activity();
      const { promise: opened, resolve: open } = Promise.withResolvers<void>();
      study.paused = { opened, open };
      study.phase = "pausing";
      for (const listener of study.onPause) listener();
      return changed();
    },
    stopAfterRound(id: string): Activity {
      const study = running(id);
      if (study.now.signal.aborted) return activity();
      study.afterRound.abort();
      study.phase = "stopping-after-round";
      openGate(study);
      return changed();
    },
    /** A round that waits for devices starts with those that are connected. */
    goOnWithout(id: string): Activity {
      running(id).startWithout.make();
      return activity();
    },
    stopNow(id: string): Activity {
      const study = running(id);
      study.phase = "stopping-now";
      study.now.abort();
      openGate(study);
      return changed();
    },
    /** Removes a study from the queue. @returns whether it was there. */
    drop(id: string): boolean {
      if (!waiting.includes(id)) return false;
      waiting = waiting.filter((other) => other !== id);
      changed();
      return true;
    },
    /** Stops the running study immediately and starts no other; resolves once it has stopped. */
    async close(): Promise<void> {
      closed = true;
      const left = waiting;
      waiting = [];
      for (const id of left) {
        if (ports.record(id)?.status !== "waiting") continue;
        ports.emit({ kind: "study-ended", study: id, status: "interrupted", reason: NEVER_STARTED });
      }
      if (current !== undefined) {
        const { over } = current;
        current.phase = "stopping-now";
        current.now.abort();
        openGate(current);
        changed();
        await over;
      }
      listeners.clear();
    },
  };
};
