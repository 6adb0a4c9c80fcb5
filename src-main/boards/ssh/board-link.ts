import type { BoardProblem, BoardProblemCode, BoardState, TelemetryPoint } from "#contract/boards.ts";
import {
  BoardError,
  type BoardLink,
  type LinkState,
  type Pulse,
  type SshConnection,
} from "#main/boards/board-ports.ts";
import { awaitOnline } from "./await-online.ts";
import { type PulseReader, readPulse } from "./read-pulse.ts";
import { watchSilence } from "./silence-watch.ts";

export interface LinkTiming {
  /** Without a sign of life for this long, a board is silent. Default 5 s. */
  readonly silentMs?: number;
  /** Waits between attempts. Default 1, 2, 4, 8, 15, 30 s; the last one from then on. */
  readonly backOffMs?: readonly number[];
  /** After a connection that lasted this long, the waits start over. Default 5 s. */
  readonly steadyMs?: number;
  /** Before a reader of the pulse that ended is started again. Default 1 s. */
  readonly readerMs?: number;
  /** 0 to 1; spreads attempts of many boards. Default Math.random. */
  readonly random?: () => number;
  readonly now?: () => number;
}

export interface LinkOptions {
  connect(signal: AbortSignal): Promise<SshConnection>;
  readonly pulse: Pulse;
  onPulse(point: TelemetryPoint): void;
  readonly timing?: LinkTiming;
}

/** Only a person can help. */
const LOCKED: readonly BoardProblemCode[] = [
  "host-key-new",
  "host-key-changed",
  "host-key-revoked",
  "sign-in-refused",
  "secret-missing",
  "key-unreadable",
  "passphrase-wrong",
  "no-agent",
  "bad-configuration",
];
/**
 * A board that is starting up refuses every sign-in for a while. One that accepted ours before is asked this many
 * times more; not more, since some systems lock an account after a few refusals.
 */
const REFUSALS_WHILE_STARTING = 5;
const BACK_OFF_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
/** The part of a wait that is random. */
const JITTER = 0.25;

const silence = (ms: number, raw: string | undefined): BoardProblem => ({
  code: "no-answer",
  title: "The board does not answer",
  cause: `Nothing has come from it for ${Math.round(ms / 1000)} s. It is off or overloaded, or the network is down.`,
  next: "Wait: it continues where it was when the board is back. If it stays away, check its power and network.",
  ...(raw === undefined ? {} : { raw }),
});

const unexpected = (error: unknown): BoardProblem => ({
  code: "connection-lost",
  title: "Connecting failed",
  cause: "Something went wrong that the lab does not know.",
  next: "Try again. If it fails again, read the details.",
  raw: error instanceof Error ? error.message : String(error),
  actions: [{ do: "retry", label: "Try again" }],
});

const problemOf = (error: unknown): BoardProblem =>
  error instanceof BoardError ? error.problem : unexpected(error);

/** Whether a board is away does not depend on an attempt being in progress: people ask since when. */
const kindOf = (state: BoardState): string =>
  state === "connecting" || state === "offline" ? "away" : state;

/** Keeps one board connected. Nothing happens before `connect` or `adopt`. */
export const createBoardLink = (options: LinkOptions): BoardLink => {
  const { pulse, timing = {} } = options;
  const { silentMs = 5000, backOffMs = BACK_OFF_MS, steadyMs = 5000, readerMs = 1000 } = timing;
  const { random = Math.random, now = Date.now } = timing;
  const listeners = new Set<(state: LinkState) => void>();
  let state: LinkState = { state: "offline", since: new Date(now()).toISOString() };
  let connection: SshConnection | undefined;
  /** Of the attempt or the connection that there is; aborted when it is no longer wanted. */
  let present: AbortController | undefined;
  let reader: PulseReader | undefined;
  let wantsTelemetry = false;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let refusals = 0;
  let wasOnline = false;

  const become = (next: BoardState, problem?: BoardProblem, retryAt?: number): void => {
    const since = kindOf(next) === kindOf(state.state) ? state.since : new Date(now()).toISOString();
    state = {
      state: next,
      since,
      ...(problem === undefined ? {} : { problem }),
      ...(retryAt === undefined ? {} : { retryAt: new Date(retryAt).toISOString() }),
    };
    for (const listener of [...listeners]) listener(state);
  };

  const tryLater = (problem: BoardProblem): void => {
    const base = backOffMs[Math.min(failures, backOffMs.length - 1)] ?? 1000;
    failures += 1;
    const ms = base * (1 - JITTER / 2 + JITTER * random());
    retry = setTimeout(attempt, ms);
    become("offline", problem, now() + ms);
  };

  const failed = (error: unknown): void => {
    present = undefined;
    const problem = problemOf(error);
    if (problem.code === "sign-in-refused") refusals += 1;
    const starting = problem.code === "sign-in-refused" && wasOnline && refusals <= REFUSALS_WHILE_STARTING;
    if (LOCKED.includes(problem.code) && !starting) become("locked", problem);
    else tryLater(problem);
  };

  const pulseCommand = (): string => (wantsTelemetry ? pulse.command : pulse.heartbeat);

  /** Reads the pulse of an open connection, and notices when it falls silent or ends. */
  const live = (opened: SshConnection, mine: AbortController): void => {
    const startedAt = now();
    connection = opened;
    wasOnline = true;
    refusals = 0;
    let lastWords: string | undefined;
    const watch = watchSilence({
      silentMs,
      heardAt: () => opened.heardAt ?? 0,
      onSilent: () => become("silent", silence(silentMs, lastWords)),
      now,
    });
    const onLine = (line: string): void => {
      if (mine.signal.aborted) return;
      if (failures > 0 && now() - startedAt >= steadyMs) failures = 0;
      if (state.state === "silent") become("online");
      watch.alive();
      const point = pulse.read(line);
      if (point !== undefined) options.onPulse(point);
    };
    const onEnd = (words: string): void => {
      lastWords = words;
    };
    reader = readPulse(opened, pulseCommand(), { onLine, onEnd, againMs: readerMs });
    void opened.closed.then(() => {
      watch.stop();
      if (connection !== opened) return;
      connection = undefined;
      present = undefined;
      reader = undefined;
      if (mine.signal.aborted) return;
      if (now() - startedAt >= steadyMs) failures = 0;
      tryLater(opened.lost ?? unexpected(new Error("the connection ended")));
    });
    become("online");
  };

  const attempt = (): void => {
    clearTimeout(retry);
    retry = undefined;
    const mine = new AbortController();
    present = mine;
    become("connecting", state.problem);
    options.connect(mine.signal).then(
      (opened) => {
        if (mine.signal.aborted) opened.end();
        else live(opened, mine);
      },
      (error: unknown) => {
        if (!mine.signal.aborted) failed(error);
      },
    );
  };

  /** Ends the attempt or the connection that there is. @returns the connection */
  const drop = (): SshConnection | undefined => {
    clearTimeout(retry);
    retry = undefined;
    present?.abort();
    present = undefined;
    reader = undefined;
    const ending = connection;
    connection = undefined;
    ending?.end();
    return ending;
  };

  const link: BoardLink = {
    get state() {
      return state;
    },
    get connection() {
      return connection;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connect() {
      if (present !== undefined) return;
      failures = 0;
      refusals = REFUSALS_WHILE_STARTING;
      attempt();
    },
    adopt(opened) {
      drop();
      failures = 0;
      present = new AbortController();
      live(opened, present);
    },
    readTelemetry(wanted) {
      wantsTelemetry = wanted;
      reader?.use(pulseCommand());
    },
    online: (signal) => awaitOnline(link, signal),
    async disconnect() {
      const ending = drop();
      if (state.state !== "offline" || state.problem !== undefined) become("offline");
      await ending?.closed;
    },
  };
  return link;
};
