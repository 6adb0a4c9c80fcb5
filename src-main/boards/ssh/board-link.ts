import type { BoardProblem, BoardProblemCode, BoardState, TelemetryPoint } from "#contract/boards.ts";
import {
  BoardError,
  type BoardLink,
  type LinkState,
  type Pulse,
  type SshConnection,
} from "#main/boards/board-ports.ts";
import { readPulse } from "./read-pulse.ts";

export interface LinkTiming {
  /** Without a sign of life for so long, a board is silent. Default 5 s. */
  readonly silentMs?: number;
  /** Waits between attempts. Default 1, 2, 4, 8, 15, 30 s; the last one from then on. */
  readonly backOffMs?: readonly number[];
  /** A connection that lasted so long begins the waits anew. Default 5 s. */
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

/** Only a person can go on. */
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
 * A board that is starting up refuses everybody for a while. One that has let us in before is asked so often again;
 * not more, since some systems lock an account after a few refusals.
 */
const REFUSALS_WHILE_STARTING = 5;
const BACK_OFF_MS = [1000, 2000, 4000, 8000, 15_000, 30_000];
/** Part of a wait that is left to chance. */
const JITTER = 0.25;
/** A timer that is so late tells of this computer, not of the board. */
const LATE_MS = 2000;

const silence = (ms: number, raw: string | undefined): BoardProblem => ({
  code: "no-answer",
  title: "The board does not answer",
  cause: `Nothing has come from it for ${Math.round(ms / 1000)} s: it is off or overloaded, or the network is cut.`,
  next: "Wait: it goes on where it was when the board is back. Else look at its power and network.",
  ...(raw === undefined ? {} : { raw }),
});

const unexpected = (error: unknown): BoardProblem => ({
  code: "connection-lost",
  title: "Connecting failed",
  cause: "Something went wrong that the lab has no word for.",
  next: "Try again; if it stays so, look at the details.",
  raw: error instanceof Error ? error.message : String(error),
  actions: [{ do: "retry", label: "Try again" }],
});

const problemOf = (error: unknown): BoardProblem =>
  error instanceof BoardError ? error.problem : unexpected(error);

/** Keeps one board connected. Nothing happens before `connect`. */
export const createBoardLink = (options: LinkOptions): BoardLink => {
  const { timing = {} } = options;
  const {
    silentMs = 5000,
    backOffMs = BACK_OFF_MS,
    steadyMs = 5000,
    readerMs = 1000,
    random = Math.random,
    now = Date.now,
  } = timing;
  const listeners = new Set<(state: LinkState) => void>();
  let state: LinkState = { state: "offline", since: new Date(now()).toISOString() };
  let connection: SshConnection | undefined;
  /** Of the attempt or the connection that there is; aborted when it is not wanted any more. */
  let present: AbortController | undefined;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let refusals = 0;
  let wasOnline = false;

  /** Away is away, whether an attempt is under way or not: one wants to know since when. */
  const kind = (of: BoardState): string => (of === "connecting" || of === "offline" ? "away" : of);

  const become = (next: BoardState, problem?: BoardProblem, retryAt?: number): void => {
    const since = kind(next) === kind(state.state) ? state.since : new Date(now()).toISOString();
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

  const live = (opened: SshConnection, mine: AbortController): void => {
    const startedAt = now();
    connection = opened;
    wasOnline = true;
    refusals = 0;
    let lastLine = startedAt;
    let lastWords: string | undefined;
    let watch: NodeJS.Timeout | undefined;

    const lookIn = (ms: number): void => {
      const due = now() + ms;
      watch = setTimeout(() => {
        // This computer slept or was busy itself: what has come meanwhile is read first.
        if (now() - due > LATE_MS) lookIn(silentMs);
        else look();
      }, ms);
    };
    const look = (): void => {
      const heardAt = Math.max(lastLine, opened.heardAt ?? 0);
      const quiet = now() - heardAt;
      if (quiet < silentMs) {
        lookIn(silentMs - quiet + 1);
        return;
      }
      // From now on only a line of the pulse counts as a sign of life, not a packet that keeps the connection.
      watch = undefined;
      become("silent", silence(silentMs, lastWords));
    };
    const alive = (): void => {
      lastLine = now();
      if (failures > 0 && lastLine - startedAt >= steadyMs) failures = 0;
      if (state.state !== "silent") return;
      become("online");
      lookIn(silentMs);
    };

    void readPulse(opened, options.pulse.command, {
      onLine(line) {
        if (mine.signal.aborted) return;
        alive();
        const point = options.pulse.read(line);
        if (point !== undefined) options.onPulse(point);
      },
      onEnd(words) {
        lastWords = words;
      },
      againMs: readerMs,
    });
    void opened.closed.then(() => {
      clearTimeout(watch);
      if (connection !== opened) return;
      connection = undefined;
      present = undefined;
      if (mine.signal.aborted) return;
      if (now() - startedAt >= steadyMs) failures = 0;
      tryLater(opened.lost ?? unexpected(new Error("the connection ended")));
    });
    lookIn(silentMs);
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

  return {
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
    online: (signal) =>
      new Promise((resolve, reject) => {
        const settle = (then: () => void): void => {
          stop();
          signal.removeEventListener("abort", abort);
          then();
        };
        const abort = (): void => settle(() => reject(signal.reason));
        const look = (): void => {
          if (state.state === "online" && connection !== undefined) {
            const found = connection;
            settle(() => resolve(found));
          } else if (state.state === "locked" && state.problem !== undefined) {
            const { problem } = state;
            settle(() => reject(new BoardError(problem)));
          }
        };
        listeners.add(look);
        const stop = () => listeners.delete(look);
        if (signal.aborted) return abort();
        signal.addEventListener("abort", abort, { once: true });
        look();
      }),
    async disconnect() {
      clearTimeout(retry);
      retry = undefined;
      present?.abort();
      present = undefined;
      const ending = connection;
      connection = undefined;
      if (state.state !== "offline" || state.problem !== undefined) become("offline");
      if (ending === undefined) return;
      ending.end();
      await ending.closed;
    },
  };
};
