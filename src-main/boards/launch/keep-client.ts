import type { BoardProblem } from "#contract/boards.ts";
import { createBell } from "#main/boards/bell.ts";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { awaitConnection } from "./await-connection.ts";
import { createClientLauncher } from "./client-launcher.ts";
import type { KeepCommand, KeepEvent, KeepState, Step } from "./keep-state.ts";
import { beginKeeping, stepKeeping } from "./keep-steps.ts";
import type { KeepClientOptions, KeepTiming, KeptClient } from "./kept-client.ts";

const TIMING: KeepTiming = {
  backOffMs: [1000, 2000, 5000, 10_000, 30_000],
  resetMs: 60_000,
  politeMs: 5000,
  lookEveryMs: 4000,
};

/** How long stopping may take before the study continues without having seen the end. */
const STOP_DEADLINE_MS = 20_000;

/**
 * Keeps the client of a study running on a board, whatever happens to board, network and engine: starts it as soon as
 * the board is connected, says why it ended, starts it again, and gives up only what does not solve itself.
 * `keep-steps.ts` decides; this carries out what was decided.
 */
export const keepClient = (options: KeepClientOptions): KeptClient => {
  const { name, link, study, emit } = options;
  const timing = { ...TIMING, ...options.timing };
  const changed = createBell();
  const begin = beginKeeping(study, options.run);
  let state: KeepState = begin.state;
  let connection: SshConnection | undefined;
  /** Aborted to end the wait that is in progress. */
  let waiting = new AbortController();

  const follow = (step: Step): void => {
    state = step.state;
    for (const command of step.commands) perform(command);
    changed.ring();
  };
  const send = createQueue((event: KeepEvent) => follow(stepKeeping(state, event, timing)));
  const launcher = createClientLauncher({
    ...options,
    lookEveryMs: timing.lookEveryMs,
    currentRun: () => state.view.run,
    send,
  });

  const awaitBoard = async (): Promise<void> => {
    waiting = new AbortController();
    if (link.connection === undefined) send({ kind: "board-away" });
    const onLocked = (problem: BoardProblem): void => send({ kind: "board-locked", problem });
    const opened = await awaitConnection(link, waiting.signal, onLocked);
    if (opened === undefined) return;
    connection = opened;
    send({ kind: "board-online" });
  };

  const rest = (ms: number): void => {
    waiting = new AbortController();
    const timer = setTimeout(() => send({ kind: "rested" }), ms).unref();
    waiting.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  };

  const announce = ({ do: _, ...what }: Extract<KeepCommand, { do: "announce" }>): void =>
    emit({ kind: "board-client", device: name, study, run: state.view.run, ...what });

  const perform = (command: KeepCommand): void => {
    switch (command.do) {
      case "await-board":
        awaitBoard().catch(options.onBug);
        return;
      case "connect-board":
        if (link.connection === undefined) link.connect();
        return;
      case "launch":
        if (connection !== undefined) void launcher.launch(connection);
        return;
      case "cancel-launch":
        launcher.cancel();
        return;
      case "finish":
        void launcher.finish(command);
        return;
      case "clear":
        void launcher.clear();
        return;
      case "rest":
        rest(command.ms);
        return;
      case "stop-waiting":
        waiting.abort();
        return;
      case "distrust-data":
        launcher.distrustData();
        return;
      case "announce":
        announce(command);
        return;
      case "say":
        launcher.say(command.text);
        return;
      case "show":
        options.onClient(state.view);
    }
  };

  follow(begin);
  options.signal.addEventListener("abort", () => send({ kind: "study-over" }), { once: true });
  if (options.signal.aborted) send({ kind: "study-over" });

  let stopped: Promise<void> | undefined;
  const stop = async (politely: boolean): Promise<void> => {
    const overdue = setTimeout(() => send({ kind: "stop-overdue" }), STOP_DEADLINE_MS);
    send({ kind: "asked", wish: { kind: "stop", graceMs: politely ? timing.politeMs : 0 } });
    await changed.until(() => state.phase === "over");
    clearTimeout(overdue);
  };

  return {
    view: () => state.view,
    problem: () => state.problem,
    runBegan: (run) => send({ kind: "run-began", run }),
    restart: () => send({ kind: "asked", wish: { kind: "restart" } }),
    async hold(how) {
      send({ kind: "asked", wish: { kind: "hold", keepContainer: how === "stop" } });
      await changed.until(() => state.wish === undefined || state.phase === "over");
    },
    stop: (politely) => (stopped ??= stop(politely)),
  };
};

/** Handles one event at a time, in order, also those that come while one is being handled. */
const createQueue = <T>(handle: (event: T) => void): ((event: T) => void) => {
  const waiting: T[] = [];
  let busy = false;
  return (event) => {
    waiting.push(event);
    if (busy) return;
    busy = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) handle(next);
    } finally {
      busy = false;
    }
  };
};
