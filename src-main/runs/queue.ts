import type { Emit } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import type { Activity } from "#contract/views.ts";
import type { Control, Gate } from "./ports.ts";
import { createUserRequest, type UserRequest } from "./user-request.ts";

export interface QueuePorts {
  /** Conducts a recorded study; rejects with a UserError when it cannot go on. */
  conduct(id: string, control: Control): Promise<unknown>;
  /** What the record says of a study; undefined where there is none. */
  record(id: string): { readonly status: string; readonly reason?: string } | undefined;
  readonly emit: Emit;
  /** Why a study could not go on: for the person who watches. A bug comes as what was thrown. */
  onProblem(id: string, error: unknown): void;
}

export type Queue = ReturnType<typeof createQueue>;

interface Current {
  readonly id: string;
  phase: NonNullable<Activity["phase"]>;
  /** Whoever has come to the gate once has its equipment up. */
  equipped: boolean;
  readonly afterRound: AbortController;
  readonly startWithout: UserRequest;
  readonly now: AbortController;
  /** While it is paused, or about to be: opens the gate. */
  paused: { readonly opened: Promise<void>; open(): void } | undefined;
  /** Hear that a person pauses it. */
  readonly onPause: Set<() => void>;
  readonly over: Promise<void>;
}

const NEVER_STARTED = "the lab was closed before its turn came";

/** Conducts one study at a time; those that are started meanwhile wait their turn. */
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
    // Whoever asked for it gets the answer before the work begins.
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
    if (closed) throw new UserError("the lab is closing; start it again and resume the study");
    if (!waiting.includes(id)) waiting = [...waiting, id];
    next();
    return activity();
  };

  const running = (id: string): Current => {
    if (current?.id === id) return current;
    throw new UserError(
      waiting.includes(id)
        ? "the study has not begun yet; take it out of the queue"
        : "the study is not running",
    );
  };

  return {
    activity,
    onChange(listener: (activity: Activity) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Starts a recorded study, or lets it wait for its turn. */
    start: enqueue,
    /** A paused study goes on at once; one that was stopped, or is stopping, gets its turn. */
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
    /** @throws UserError when it is not the one that runs, or is being stopped. */
    pause(id: string): Activity {
      const study = running(id);
      if (study.afterRound.signal.aborted || study.now.signal.aborted) {
        throw new UserError("the study is being stopped; resume it when it has ended");
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
    /** The round that awaits devices begins with those that are there. */
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
    /** Takes a study out of the queue. @returns whether it waited there. */
    drop(id: string): boolean {
      if (!waiting.includes(id)) return false;
      waiting = waiting.filter((other) => other !== id);
      changed();
      return true;
    },
    /** Stops what runs, at once, and lets nothing else begin; resolves when it has been put away. */
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
