import type { BoardProblem } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { createBell } from "#main/boards/bell.ts";
import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";
import { awaitConnection } from "./await-connection.ts";
import { createDataBringer } from "./bring-data.ts";
import { type ClientEnd, diagnose } from "./diagnose.ts";
import {
  beginKeeping,
  type KeepCommand,
  type KeepEvent,
  type KeepState,
  type Step,
  stepKeeping,
} from "./keep-steps.ts";
import type { KeepClientOptions, KeepTiming, KeptClient } from "./kept-client.ts";
import { type LaunchedClient, launchClient } from "./launch-client.ts";
import { noImageFor, unforeseen } from "./launch-problems.ts";
import { listContainers, removeContainer } from "./leftovers.ts";

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
  const say = (text: string): void => options.onLine({ at: new Date().toISOString(), stream: "lab", text });
  const data = createDataBringer({ study, part: options.part, dataFolder: options.dataFolder, say });
  const changed = createBell();
  const begin = beginKeeping(study, options.run);
  let state: KeepState = begin.state;
  let connection: SshConnection | undefined;
  let client: LaunchedClient | undefined;
  /** Aborted to end the launch, or the wait, that is in progress. */
  let launching = new AbortController();
  let waiting = new AbortController();
  /** A launch got as far as the engine: a container may be on the board. */
  let triedLaunch = false;

  const follow = (step: Step): void => {
    state = step.state;
    for (const command of step.commands) perform(command);
    changed.ring();
  };
  const send = createQueue((event: KeepEvent) => follow(stepKeeping(state, event, timing)));

  /** What a board does not do is no bug. */
  const quietly = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof UserError)) options.onBug(error);
      return undefined;
    }
  };

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

  const start = async (over: SshConnection, image: string, signal: AbortSignal): Promise<LaunchedClient> => {
    const dataFolder = await data.bring(over, signal);
    triedLaunch = true;
    return await launchClient({
      connection: over,
      engine: options.engineOf(over),
      facts: options.facts(),
      lab: options.lab,
      study,
      run: state.view.run,
      device: name,
      image,
      batchSize: options.batchSize,
      serverArguments: options.serverArguments,
      ...(dataFolder === undefined ? {} : { dataFolder }),
      accept: options.accept,
      onLine: options.onLine,
      onProgress: (progress) => {
        if (progress.run === state.view.run) options.onProgress(progress);
      },
      signal,
      lookEveryMs: timing.lookEveryMs,
      isSilent: () => isSilentOrWas(link, 2 * timing.lookEveryMs),
    });
  };

  const launch = async (over: SshConnection): Promise<void> => {
    launching = new AbortController();
    const signal = AbortSignal.any([options.signal, launching.signal]);
    try {
      const image = options.image();
      if (image === undefined) throw noImageFor(options.facts());
      const launched = await start(over, image, signal);
      client = launched;
      watch(launched);
      const { container, startedAt } = launched;
      send({ kind: "launched", container, image, startedAt });
    } catch (error) {
      const isExpected = signal.aborted || over.isClosed || error instanceof UserError;
      if (!isExpected) options.onBug(error);
      const problem = error instanceof BoardError ? error.problem : unforeseen(error);
      send({ kind: "launch-failed", problem, connectionLost: over.isClosed, now: Date.now() });
    }
  };

  const watch = (launched: LaunchedClient): void => {
    const startedAt = performance.now();
    void launched.ended.then((end) => {
      if (launched !== client) return;
      send({ kind: "client-ended", end, problem: problemOf(end), ranMs: performance.now() - startedAt });
    });
  };

  const problemOf = (end: ClientEnd): BoardProblem => {
    const others = options.others?.();
    return diagnose(end, {
      device: name,
      batchSize: options.batchSize,
      memoryBytes: options.facts().memoryBytes,
      ...(others === undefined ? {} : { others }),
    });
  };

  const finish = async (how: { readonly graceMs: number; readonly keep: boolean }): Promise<void> => {
    if (client !== undefined) await quietly(client.finish(how));
    send({ kind: "ending-done", removed: false, now: Date.now() });
  };

  /** @returns whether there was anything to remove */
  const removeContainers = async (): Promise<boolean> => {
    const over = link.connection;
    if (!triedLaunch || over === undefined || over.isClosed) return false;
    const engine = options.engineOf(over);
    const left = await listContainers(engine, options.lab, name);
    for (const { id } of left) await removeContainer(engine, id);
    return left.length > 0;
  };
  const clear = async (): Promise<void> => {
    const removed = (await quietly(removeContainers())) === true;
    send({ kind: "ending-done", removed, now: Date.now() });
  };

  const perform = (command: KeepCommand): void => {
    switch (command.do) {
      case "await-board":
        void quietly(awaitBoard());
        return;
      case "connect-board":
        if (link.connection === undefined) link.connect();
        return;
      case "launch":
        if (connection !== undefined) void launch(connection);
        return;
      case "cancel-launch":
        launching.abort();
        return;
      case "finish":
        void finish(command);
        return;
      case "clear":
        void clear();
        return;
      case "rest":
        rest(command.ms);
        return;
      case "stop-waiting":
        waiting.abort();
        return;
      case "distrust-data":
        data.distrust();
        return;
      case "announce": {
        const { do: _, ...what } = command;
        emit({ kind: "board-client", device: name, study, run: state.view.run, ...what });
        return;
      }
      case "say":
        say(command.text);
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

/** What was asked of a board while it was silent may be answered only some time after it is heard again. */
const isSilentOrWas = (link: BoardLink, afterMs: number): boolean =>
  link.state.state === "silent" || Date.now() - Date.parse(link.state.since) < afterMs;
