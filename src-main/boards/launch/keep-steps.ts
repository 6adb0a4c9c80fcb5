import type { BoardProblem, ClientView } from "#contract/boards.ts";
import { type ClientEnd, isFinal } from "./diagnose.ts";

/** What keeping a client is made of: a state, what can happen, and what has to be done about it. Pure. */

/** What a person or the study asked for while something else was still in progress. */
export type Wish =
  | { readonly kind: "restart" }
  | { readonly kind: "hold"; readonly keepContainer: boolean }
  /** For good. `graceMs`: how long the client may take to end by itself. */
  | { readonly kind: "stop"; readonly graceMs: number };

export interface KeepState {
  /**
   * "connecting": waits for the board · "launching": data are sent, the container is started · "running" ·
   * "ending": a container is being stopped or removed · "resting": waits before the next attempt ·
   * "given-up": waits for a person after a problem that does not solve itself · "held": a person stopped it ·
   * "closing": the study is over, `stop` is awaited · "over"
   */
  readonly phase:
    | "connecting"
    | "launching"
    | "running"
    | "ending"
    | "resting"
    | "given-up"
    | "held"
    | "closing"
    | "over";
  readonly view: ClientView;
  /** Why it does not run. */
  readonly problem?: BoardProblem;
  /** Done as soon as what is in progress is over. */
  readonly wish?: Wish;
  /** What "ending" does. */
  readonly ending?: Ending;
  /** The study is over: nothing new is started. */
  readonly closing: boolean;
  /** How many waits came before this one; picks the next wait. */
  readonly attempt: number;
  readonly launches: number;
  /** Code of the last problem that was announced as an event. */
  readonly announced?: string;
  /** The data were sent again after the client found them damaged. */
  readonly resent: boolean;
}

interface Ending {
  /** "clear": removes containers that earlier launches left. */
  readonly what: "finish" | "clear";
  /** The event that says it is done. */
  readonly announce?: "ended" | "removed";
  /** The client ended by itself; this is reported once its container is put away. */
  readonly after?: { readonly end: ClientEnd; readonly problem: BoardProblem };
}

export type KeepEvent =
  | { readonly kind: "board-away" }
  | { readonly kind: "board-locked"; readonly problem: BoardProblem }
  | { readonly kind: "board-online" }
  | {
      readonly kind: "launched";
      readonly container: string;
      readonly image: string;
      readonly startedAt: string;
    }
  /** `connectionLost`: the board went away meanwhile, which its link reports. */
  | {
      readonly kind: "launch-failed";
      readonly problem: BoardProblem;
      readonly connectionLost: boolean;
      readonly now: number;
    }
  | {
      readonly kind: "client-ended";
      readonly end: ClientEnd;
      readonly problem: BoardProblem;
      /** How long it ran. */
      readonly ranMs: number;
    }
  /** "ending" is done. `removed`: a container of an earlier launch was there. */
  | { readonly kind: "ending-done"; readonly removed: boolean; readonly now: number }
  | { readonly kind: "rested" }
  | { readonly kind: "run-began"; readonly run: string }
  | { readonly kind: "study-over" }
  /** Stopping took too long: the study continues without having seen the end. */
  | { readonly kind: "stop-overdue" }
  | { readonly kind: "asked"; readonly wish: Wish };

export type KeepCommand =
  | { readonly do: "await-board" }
  /** Connects the board now where it is not connected. */
  | { readonly do: "connect-board" }
  | { readonly do: "launch" }
  | { readonly do: "cancel-launch" }
  | { readonly do: "finish"; readonly graceMs: number; readonly keep: boolean }
  | { readonly do: "clear" }
  | { readonly do: "rest"; readonly ms: number }
  /** Ends `await-board` and `rest`. */
  | { readonly do: "stop-waiting" }
  /** What is on the board is read there before it is trusted, and sent again where it is wrong. */
  | { readonly do: "distrust-data" }
  | {
      readonly do: "announce";
      readonly state: "launched" | "ended" | "removed";
      readonly exitCode?: number;
      readonly problem?: BoardProblem;
    }
  | { readonly do: "say"; readonly text: string }
  /** The view or the problem is another. */
  | { readonly do: "show" };

export interface Step {
  readonly state: KeepState;
  readonly commands: readonly KeepCommand[];
}

export interface StepTiming {
  /** See `KeepTiming`. */
  readonly backOffMs: readonly number[];
  readonly resetMs: number;
}

const SHOW: KeepCommand = { do: "show" };

/** How keeping the client of a study begins: it waits for its board. */
export const beginKeeping = (study: string, run: string): Step => ({
  state: {
    phase: "connecting",
    view: { state: "waiting", study, run, restarts: 0 },
    closing: false,
    attempt: 0,
    launches: 0,
    resent: false,
  },
  commands: [{ do: "await-board" }],
});

/**
 * What follows from an event. Events that come too late for the phase change nothing.
 *
 * @returns the next state, and the commands in the order in which they are to be carried out
 */
export const stepKeeping = (state: KeepState, event: KeepEvent, timing: StepTiming): Step => {
  switch (event.kind) {
    case "board-away":
      return state.phase === "connecting" ? showing(state, "waiting") : unchanged(state);
    case "board-locked":
      return state.phase === "connecting"
        ? showing({ ...state, problem: event.problem }, "waiting")
        : unchanged(state);
    case "board-online":
      return state.phase === "connecting"
        ? then(showing({ ...state, phase: "launching" }, "launching"), { do: "launch" })
        : unchanged(state);
    case "launched":
      return state.phase === "launching" ? launched(state, event) : unchanged(state);
    case "launch-failed":
      return state.phase === "launching" ? launchFailed(state, event, timing) : unchanged(state);
    case "client-ended":
      return state.phase === "running" ? clientEnded(state, event, timing) : unchanged(state);
    case "ending-done":
      return state.phase === "ending" ? endingDone(state, event, timing) : unchanged(state);
    case "rested":
      return state.phase === "resting" ? connecting(state) : unchanged(state);
    case "run-began":
      return { state: { ...state, view: { ...state.view, run: event.run } }, commands: [SHOW] };
    case "study-over":
      return studyOver(state);
    case "stop-overdue":
      return state.phase === "over" ? unchanged(state) : over(state);
    case "asked":
      return asked(state, event.wish);
  }
};

const unchanged = (state: KeepState): Step => ({ state, commands: [] });

const then = (step: Step, ...commands: readonly KeepCommand[]): Step => ({
  ...step,
  commands: [...step.commands, ...commands],
});

/** Changes the view's state. What it said of an earlier wait is dropped. */
const showing = (
  state: KeepState,
  shown: ClientView["state"],
  about: Partial<Omit<ClientView, "state">> = {},
): Step => {
  const { retryAt: _, problem: __, ...rest } = state.view;
  const problem = state.problem === undefined ? {} : { problem: state.problem };
  return { state: { ...state, view: { ...rest, ...problem, ...about, state: shown } }, commands: [SHOW] };
};

const connecting = (state: KeepState): Step =>
  state.closing
    ? unchanged({ ...state, phase: "closing" })
    : { state: { ...state, phase: "connecting" }, commands: [{ do: "await-board" }] };

const ending = (state: KeepState, how: Ending, command: KeepCommand): Step => ({
  state: { ...state, phase: "ending", ending: how },
  commands: [command],
});

const REMOVE: KeepCommand = { do: "finish", graceMs: 0, keep: false };

const launched = (state: KeepState, event: Extract<KeepEvent, { kind: "launched" }>): Step => {
  // Something else was asked for while it was being started: it is removed at once.
  if (state.wish !== undefined || state.closing) return ending(state, { what: "finish" }, REMOVE);
  const { problem: _, announced: __, ...before } = state;
  const { exitCode: _1, oomKilled: _2, lastLines: _3, ...view } = state.view;
  const { container, image, startedAt } = event;
  const running: KeepState = {
    ...before,
    phase: "running",
    launches: state.launches + 1,
    view: { ...view, restarts: state.launches },
  };
  return then(showing(running, "running", { container, image, startedAt }), {
    do: "announce",
    state: "launched",
  });
};

const launchFailed = (
  state: KeepState,
  event: Extract<KeepEvent, { kind: "launch-failed" }>,
  timing: StepTiming,
): Step => {
  if (state.wish !== undefined) return wished(state, state.wish, false);
  // The link reports a lost connection and waits for the next one.
  if (event.connectionLost || state.closing) return connecting(state);
  return failed(state, event.problem, undefined, event.now, timing);
};

const clientEnded = (
  state: KeepState,
  { end, problem, ranMs }: Extract<KeepEvent, { kind: "client-ended" }>,
  { resetMs }: StepTiming,
): Step => {
  const lasted: KeepState = ranMs >= resetMs ? { ...state, attempt: 0 } : state;
  if (end.how === "connection-lost") {
    const next = connecting(lasted);
    const shown = showing(next.state, "waiting");
    return {
      state: shown.state,
      commands: [
        {
          do: "say",
          text: "The connection to the board broke. The client is restarted when the board is back.",
        },
        ...shown.commands,
        ...next.commands,
      ],
    };
  }
  // Its container stays for a look until the next start; its connection to the server does not.
  const putAway = ending(
    { ...lasted, problem },
    { what: "finish", after: { end, problem } },
    { do: "finish", graceMs: 0, keep: true },
  );
  // Known at once to those who ask why the device has left.
  return { ...putAway, commands: [SHOW, ...putAway.commands] };
};

const endingDone = (
  before: KeepState,
  event: Extract<KeepEvent, { kind: "ending-done" }>,
  timing: StepTiming,
): Step => {
  const { ending: done, ...state } = before;
  const announce = done?.announce ?? (event.removed ? "removed" : undefined);
  const first: KeepCommand[] = announce === undefined ? [] : [{ do: "announce", state: announce }];
  const next = (): Step => {
    // A container that was kept, or removed after a failed launch, may not be the only one.
    const isClear = done?.what === "clear" || done?.announce === "removed";
    if (done?.after !== undefined && !state.closing) {
      const { problem, end } = done.after;
      if (state.wish === undefined) return failed(state, problem, end, event.now, timing);
      const reported = report(state, problem, end);
      const more = wished(reported.state, state.wish, isClear);
      return { state: more.state, commands: [...reported.commands, ...more.commands] };
    }
    return state.wish === undefined ? connecting(state) : wished(state, state.wish, isClear);
  };
  const step = next();
  return { state: step.state, commands: [...first, ...step.commands] };
};

/** Announces a problem. A board that fails the same way every half minute is announced once. */
const report = (state: KeepState, problem: BoardProblem, end: ClientEnd | undefined): Step => {
  const isNews = end !== undefined || state.announced !== problem.code;
  const exitCode = end?.exitCode === undefined ? {} : { exitCode: end.exitCode };
  const raw = problem.raw === undefined ? "" : ` (${problem.raw})`;
  const isData = problem.code === "data-missing" || problem.code === "data-damaged";
  return {
    state: { ...state, problem, announced: problem.code },
    commands: [
      ...(end !== undefined && isData ? [{ do: "distrust-data" } as const] : []),
      ...(isNews ? [{ do: "announce", state: "ended", ...exitCode, problem } as const] : []),
      { do: "say", text: `${problem.title}. ${problem.cause}${raw}` },
    ],
  };
};

/** Reports a problem, then waits before the next attempt, or for a person. */
const failed = (
  before: KeepState,
  problem: BoardProblem,
  end: ClientEnd | undefined,
  now: number,
  { backOffMs }: StepTiming,
): Step => {
  const { state, commands } = report(before, problem, end);
  const about =
    end === undefined
      ? {}
      : {
          ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
          oomKilled: end.oomKilled,
          lastLines: end.lastLines,
        };
  const isDamaged = problem.code === "data-damaged";
  const resent = end === undefined ? state.resent : isDamaged;
  if (isFinal(problem) || (isDamaged && state.resent)) {
    const shown = showing({ ...state, phase: "given-up", resent }, "exited", about);
    return { state: shown.state, commands: [...commands, ...shown.commands] };
  }
  const ms = backOffMs[Math.min(state.attempt, backOffMs.length - 1)] ?? 1000;
  const retryAt = new Date(now + ms).toISOString();
  const resting: KeepState = { ...state, phase: "resting", attempt: state.attempt + 1, resent };
  const shown = showing(resting, "waiting", { ...about, retryAt });
  return { state: shown.state, commands: [...commands, ...shown.commands, { do: "rest", ms }] };
};

const studyOver = (state: KeepState): Step => {
  const closing: KeepState = { ...state, closing: true };
  switch (state.phase) {
    case "launching":
      return { state: closing, commands: [{ do: "cancel-launch" }] };
    case "connecting":
    case "resting":
    case "given-up":
    case "held":
      return { state: { ...closing, phase: "closing" }, commands: [{ do: "stop-waiting" }] };
    default:
      // What runs is ended by `stop`.
      return unchanged(closing);
  }
};

const asked = (state: KeepState, wish: Wish): Step => {
  if (state.phase === "over" || state.wish?.kind === "stop") return unchanged(state);
  if (wish.kind === "restart") return restartAsked(state);
  const { problem: _, ...rest } = state;
  // A hold forgets why it did not run; a stop keeps that until it is done, for those who still ask.
  const kept: KeepState = wish.kind === "hold" ? rest : state;
  const closing = state.closing || wish.kind === "stop";
  const shown = showing({ ...kept, wish, closing }, "stopping");
  switch (state.phase) {
    case "launching":
      return then(shown, { do: "cancel-launch" });
    case "running":
      return followedBy(shown, (now) => endRunning(now, wish));
    case "ending":
      return shown;
    default:
      return followedBy(then(shown, { do: "stop-waiting" }), (now) => wished(now, wish, false));
  }
};

const followedBy = (first: Step, next: (state: KeepState) => Step): Step => {
  const second = next(first.state);
  return { state: second.state, commands: [...first.commands, ...second.commands] };
};

const endRunning = (state: KeepState, wish: Exclude<Wish, { kind: "restart" }>): Step => {
  const keep = wish.kind === "hold" && wish.keepContainer;
  const graceMs = wish.kind === "stop" ? wish.graceMs : 0;
  return ending(
    state,
    { what: "finish", announce: keep ? "ended" : "removed" },
    { do: "finish", graceMs, keep },
  );
};

const restartAsked = (state: KeepState): Step => {
  if (state.closing) return unchanged(state);
  const wish: Wish = { kind: "restart" };
  const again: KeepState = { ...state, attempt: 0, resent: false };
  const step = ((): Step => {
    switch (state.phase) {
      case "launching":
        return { state: { ...again, wish }, commands: [{ do: "cancel-launch" }] };
      case "running":
        return ending({ ...again, wish }, { what: "finish" }, REMOVE);
      case "ending":
        return unchanged({ ...again, wish });
      case "resting":
      case "given-up":
      case "held":
        return followedBy({ state: again, commands: [{ do: "stop-waiting" }] }, connecting);
      default:
        return unchanged(again);
    }
  })();
  return { state: step.state, commands: [{ do: "connect-board" }, ...step.commands] };
};

/** Nothing is in progress any more: does what was asked. `isClear`: no container of an earlier launch is left. */
const wished = (state: KeepState, wish: Wish, isClear: boolean): Step => {
  const { wish: _, ...free } = state;
  switch (wish.kind) {
    case "restart":
      return connecting(free);
    case "hold":
      return wish.keepContainer || isClear
        ? showing({ ...free, phase: "held" }, "exited")
        : ending(state, { what: "clear" }, { do: "clear" });
    case "stop":
      return isClear ? over(state) : ending(state, { what: "clear" }, { do: "clear" });
  }
};

const over = ({ problem: _, wish: __, ending: ___, ...state }: KeepState): Step =>
  showing({ ...state, phase: "over" }, "exited");
