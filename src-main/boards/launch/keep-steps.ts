import type { BoardProblem, ClientView } from "#contract/boards.ts";
import { type ClientEnd, isFinal } from "./diagnose.ts";
import type { Ending, KeepCommand, KeepEvent, KeepState, Step, StepTiming, Wish } from "./keep-state.ts";

/** The rules of keeping a client, pure: what follows from an event. `keepClient` carries it out. */

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
