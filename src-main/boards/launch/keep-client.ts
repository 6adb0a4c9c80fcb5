import type { BoardProblem, ClientView } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";
import { createAlarmClock } from "./alarm-clock.ts";
import { awaitConnection } from "./await-connection.ts";
import { createDataBringer } from "./bring-data.ts";
import { type ClientEnd, diagnose, isFinal } from "./diagnose.ts";
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

/** How long an end may take before the study goes on without having seen it. */
const STOP_DEADLINE_MS = 20_000;

/**
 * Keeps the client of a study running on a board, whatever happens to board, network and engine: starts it as soon as
 * the board is connected, says why it ended, starts it again, and gives up only what does not mend itself.
 */
export const keepClient = (options: KeepClientOptions): KeptClient => {
  const { name, link, study, emit } = options;
  const timing = { ...TIMING, ...options.timing };
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const clock = createAlarmClock();
  signal.addEventListener("abort", clock.ring, { once: true });
  let view: ClientView = { state: "waiting", study, run: options.run(), restarts: 0 };
  let problem: BoardProblem | undefined;
  let launched: LaunchedClient | undefined;
  let launches = 0;
  /** A start was tried: something may be on the board. */
  let tried = false;
  /** What a person has ended is being put away. */
  let leaving: Promise<void> = Promise.resolve();
  let attempt = 0;
  let held = false;
  let restartWanted = false;
  /** The code of the last problem that was told as an event. */
  let told: string | undefined;
  /** The data were sent again after the client had found them damaged. */
  let resent = false;

  const say = (text: string): void => options.onLine({ at: new Date().toISOString(), stream: "lab", text });
  const data = createDataBringer({ study, part: options.part, dataFolder: options.dataFolder, say });

  const show = (change: Partial<ClientView> & Pick<ClientView, "state">): void => {
    const { retryAt: _, problem: __, ...rest } = view;
    view = { ...rest, run: options.run(), ...(problem === undefined ? {} : { problem }), ...change };
    options.onClient(view);
  };
  const tell = (
    state: "launched" | "ended" | "removed",
    more: { exitCode?: number; problem?: BoardProblem } = {},
  ): void => emit({ kind: "board-client", device: name, study, run: options.run(), state, ...more });
  const quietly = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof UserError)) options.onBug(error);
    }
  };

  const isAsked = (): boolean => signal.aborted || held || restartWanted;
  /** It may have rung already, before anybody listened. */
  const restUnlessAsked = async (ms: number): Promise<void> => {
    if (!isAsked()) await clock.rest(ms);
  };
  const untilRestart = async (): Promise<void> => {
    await clock.until(() => signal.aborted || restartWanted);
    resent = false;
  };

  /** Says what failed and waits before the next attempt, or for a person. */
  const afterFailure = async (found: BoardProblem, end?: ClientEnd): Promise<void> => {
    problem = found;
    const { exitCode } = end ?? {};
    // A board that fails the same way every half minute is told of once.
    if (end !== undefined || told !== found.code) {
      tell("ended", { ...(exitCode === undefined ? {} : { exitCode }), problem: found });
    }
    told = found.code;
    say(`${found.title}. ${found.cause}${found.raw === undefined ? "" : ` (${found.raw})`}`);
    const about: Partial<ClientView> =
      end === undefined
        ? {}
        : {
            ...(exitCode === undefined ? {} : { exitCode }),
            oomKilled: end.oomKilled,
            lastLines: end.lastLines,
          };
    if (isFinal(found) || (found.code === "data-damaged" && resent)) {
      show({ ...about, state: "exited" });
      return await untilRestart();
    }
    const waits = timing.backOffMs;
    const ms = waits[Math.min(attempt, waits.length - 1)] ?? 1000;
    attempt++;
    show({ ...about, state: "waiting", retryAt: new Date(Date.now() + ms).toISOString() });
    await restUnlessAsked(ms);
  };

  const launch = async (connection: SshConnection): Promise<LaunchedClient> => {
    const image = options.image();
    const facts = options.facts();
    if (image === undefined) throw noImageFor(facts);
    const dataFolder = await data.bring(connection, signal);
    tried = true;
    return await launchClient({
      connection,
      engine: options.engineOf(connection),
      facts,
      lab: options.lab,
      study,
      run: options.run(),
      device: name,
      image,
      batchSize: options.batchSize,
      serverArguments: options.serverArguments,
      ...(dataFolder === undefined ? {} : { dataFolder }),
      accept: options.accept,
      onLine: options.onLine,
      onProgress: (progress) => {
        if (progress.run === options.run()) options.onProgress(progress);
      },
      signal,
      lookEveryMs: timing.lookEveryMs,
      isSilent: () => isSilentOrWas(link, 2 * timing.lookEveryMs),
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

  /** From a start to its end. @returns how it ended; undefined where somebody wanted it to */
  const runOnce = async (connection: SshConnection): Promise<ClientEnd | undefined> => {
    show({ state: "launching" });
    const client = await launch(connection);
    if (isAsked()) {
      await quietly(client.finish({ graceMs: 0 }));
      return undefined;
    }
    launched = client;
    launches++;
    const startedAt = performance.now();
    problem = undefined;
    told = undefined;
    const { exitCode: _, oomKilled: __, lastLines: ___, ...fresh } = view;
    view = { ...fresh, restarts: launches - 1 };
    const { container, startedAt: at } = client;
    show({ state: "running", container, image: options.image() ?? "", startedAt: at });
    tell("launched");
    const end = await Promise.race([client.ended, clock.until(isAsked)]);
    if (performance.now() - startedAt >= timing.resetMs) attempt = 0;
    if (end === undefined || isAsked()) {
      // `stop` and `hold` end it themselves.
      if (signal.aborted || held) return undefined;
      launched = undefined;
      await quietly(client.finish({ graceMs: 0 }));
      return undefined;
    }
    launched = undefined;
    if (end.how !== "connection-lost") {
      // Known at once to whoever asks why the device has left.
      problem = problemOf(end);
      // Its container stays to be looked at until the next start; its way to the server does not.
      await quietly(client.finish({ graceMs: 0, keep: true }));
    }
    return end;
  };

  const connected = (): Promise<SshConnection | undefined> => {
    if (link.connection === undefined) show({ state: "waiting" });
    const onLocked = (found: BoardProblem): void => {
      problem = found;
      show({ state: "waiting" });
    };
    return awaitConnection({ link, clock, signal, onLocked });
  };

  const turn = async (): Promise<void> => {
    if (held) return await untilRestart();
    const connection = await connected();
    // Its socket would go with the one before.
    await leaving;
    if (connection === undefined || held) return;
    if (restartWanted) attempt = 0;
    restartWanted = false;
    let end: ClientEnd | undefined;
    try {
      end = await runOnce(connection);
    } catch (error) {
      // The link says so, and `connected` waits for it: no wait besides.
      if (signal.aborted || connection.isClosed) return;
      if (!(error instanceof UserError)) options.onBug(error);
      return await afterFailure(error instanceof BoardError ? error.problem : unforeseen(error));
    }
    if (end === undefined) return;
    if (end.how === "connection-lost") {
      say("the connection to the board broke; the client is started anew when the board is back");
      return show({ state: "waiting" });
    }
    const found = problemOf(end);
    if (found.code === "data-missing" || found.code === "data-damaged") data.distrust();
    await afterFailure(found, end);
    resent = found.code === "data-damaged";
  };

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await turn();
      } catch (error) {
        options.onBug(error);
        await restUnlessAsked(timing.backOffMs.at(-1) ?? 1000);
      }
    }
  };
  const over = loop();

  const removeLeft = async (): Promise<void> => {
    const { connection } = link;
    if (!tried || connection === undefined || connection.isClosed) return;
    const engine = options.engineOf(connection);
    const left = await listContainers(engine, options.lab, name);
    for (const { id } of left) await removeContainer(engine, id);
    if (left.length > 0) tell("removed");
  };
  /** Ends what runs; removes what ended before. */
  const end = async (how: { graceMs: number; keep: boolean }): Promise<void> => {
    const running = launched;
    launched = undefined;
    if (running !== undefined) {
      await quietly(running.finish(how));
      tell(how.keep ? "ended" : "removed");
    } else if (!how.keep) await quietly(removeLeft());
  };

  let stopped: Promise<void> | undefined;
  const stop = async (politely: boolean): Promise<void> => {
    show({ state: "stopping" });
    ending.abort();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_DEADLINE_MS);
    // What is being launched ends itself when it sees the signal.
    const ended = over.then(() => end({ graceMs: politely ? timing.politeMs : 0, keep: false }));
    await Promise.race([ended, late.promise]);
    clearTimeout(timer);
    problem = undefined;
    show({ state: "exited" });
  };

  return {
    view: () => view,
    problem: () => problem,
    restart: () => {
      held = false;
      restartWanted = true;
      attempt = 0;
      if (link.connection === undefined) link.connect();
      clock.ring();
    },
    async hold(how) {
      held = true;
      restartWanted = false;
      problem = undefined;
      show({ state: "stopping" });
      clock.ring();
      const ended = end({ graceMs: 0, keep: how === "stop" });
      leaving = ended.catch(() => {});
      await ended;
      if (held) show({ state: "exited" });
    },
    stop: (politely) => (stopped ??= stop(politely)),
  };
};

/** What was asked of a board while it was silent may be answered only some time after it is heard again. */
const isSilentOrWas = (link: BoardLink, afterMs: number): boolean =>
  link.state.state === "silent" || Date.now() - Date.parse(link.state.since) < afterMs;
