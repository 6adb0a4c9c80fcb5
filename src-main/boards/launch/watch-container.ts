import type { IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createBell } from "#main/boards/bell.ts";
import { whenClosed } from "#main/boards/board-data/when-closed.ts";
import { BoardError, type DockerEngine, type SshConnection } from "#main/boards/board-ports.ts";
import { createLogReader } from "./container-log.ts";
import type { ClientEnd } from "./diagnose.ts";
import { statusOf } from "./leftovers.ts";

const LAST_LINES = 50;
/** How long to wait for the rest of its output after an end. */
const LAST_WORDS_MS = 1500;
/** An engine that shuts down ends its containers first: for this long after an end it is checked. */
const SHUTDOWN_MS = 1200;
/** Output is read in slices, so that a client that prints without end leaves time for everything else. */
const SLICE_BYTES = 32 << 10;
const SLICE_MS = 25;
const ENDED_BY_SIGNAL = [137, 143, 130, 255];

export interface WatchOptions {
  readonly connection: SshConnection;
  readonly engine: DockerEngine;
  readonly id: string;
  /** `isLast`: one of its last lines, fetched at its end. */
  readonly onLine: (stream: "stdout" | "stderr", text: string, isLast?: boolean) => void;
  /** Its output comes faster than it is read. */
  readonly onBehind?: () => void;
  /** How often the engine is asked whether the container still runs. */
  readonly lookEveryMs: number;
  /** The whole board does not answer, or did not until a moment ago: then its engine's silence says nothing about the engine. */
  isSilent(): boolean;
}

/** What a look at the container says. */
type Look =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly exitCode: number; readonly oomKilled: boolean }
  | { readonly kind: "gone" }
  | { readonly kind: "engine-silent" }
  | { readonly kind: "connection-lost" };

type News = "exit" | "logs" | "wait-broke" | "closed";

/**
 * Follows a container's output until it ends, or its state can no longer be known.
 * Never rejects: how it ended is the answer.
 */
export const watchContainer = async (options: WatchOptions): Promise<ClientEnd> => {
  const { connection, engine, id } = options;
  const lastLines: string[] = [];
  const onLine = (stream: "stdout" | "stderr", text: string, isLast?: boolean): void => {
    lastLines.push(text);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    options.onLine(stream, text, isLast);
  };
  let latest: string | undefined;
  let isOver = false;
  let isAllRead = false;
  let stopFollowing = (): void => {};
  /** What happened since the last look; each wait of a study that lasts for days must leave nothing behind. */
  const news = new Set<News>();
  const bell = createBell();
  const hear = (what: News): void => {
    news.add(what);
    bell.ring();
  };

  /** Resolves when the output is over, or its stream broke. */
  const readOutput = async (): Promise<void> => {
    const since = latest === undefined ? {} : { since: Math.floor(Date.parse(latest) / 1000) };
    const stream = await engine.ask((docker) =>
      docker.getContainer(id).logs({ follow: true, stdout: true, stderr: true, timestamps: true, ...since }),
    );
    const reader = createLogReader(onLine, latest);
    const over = Promise.withResolvers<void>();
    isAllRead = false;
    let bytes = 0;
    let begunAt = performance.now();
    let slice: NodeJS.Timeout | undefined;
    const goOn = (): void => {
      bytes = 0;
      begunAt = performance.now();
      stream.resume();
    };
    stream.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      latest = reader.latest;
      bytes += chunk.length;
      if (bytes < SLICE_BYTES) return;
      stream.pause();
      options.onBehind?.();
      slice = setTimeout(goOn, Math.max(0, SLICE_MS - (performance.now() - begunAt)));
    });
    stream.on("end", () => {
      isAllRead = true;
    });
    for (const event of ["end", "close", "error"]) stream.on(event, () => over.resolve());
    const forget = whenClosed(connection, over.resolve);
    stopFollowing = over.resolve;
    // It ended while the engine was being asked for its output.
    if (isOver) over.resolve();
    await over.promise;
    forget();
    clearTimeout(slice);
    abandon(stream as IncomingMessage);
    reader.end();
  };
  const follow = (): Promise<void> =>
    readOutput()
      .catch(() => {})
      .then(() => hear("logs"));
  /** What it printed last, where reading the rest would take too long. */
  const readEnd = async (): Promise<void> => {
    stopFollowing();
    await following;
    const printed = await within(
      LAST_WORDS_MS,
      engine.ask((docker) =>
        docker.getContainer(id).logs({ stdout: true, stderr: true, timestamps: true, tail: LAST_LINES }),
      ),
    );
    const reader = createLogReader((stream, text) => onLine(stream, text, true), latest);
    reader.push(printed);
    reader.end();
  };
  const awaitExit = (): void => {
    engine
      .ask((docker) => docker.getContainer(id).wait())
      .then(
        () => hear("exit"),
        () => hear("wait-broke"),
      );
  };

  const look = async (): Promise<Look> => {
    try {
      const { State } = await within(
        options.lookEveryMs,
        engine.ask((docker) => docker.getContainer(id).inspect()),
      );
      return State.Running || State.Restarting
        ? { kind: "running" }
        : { kind: "ended", exitCode: State.ExitCode, oomKilled: State.OOMKilled };
    } catch (error) {
      if (connection.isClosed) return { kind: "connection-lost" };
      if (statusOf(error) === 404) return { kind: "gone" };
      if (error instanceof BoardError && error.problem.code === "connection-lost") {
        return { kind: "connection-lost" };
      }
      return { kind: "engine-silent" };
    }
  };

  const engineAnswers = async (): Promise<boolean> => {
    try {
      await within(
        options.lookEveryMs,
        engine.ask((docker) => docker.ping()),
      );
      return true;
    } catch {
      return false;
    }
  };

  const ended = (how: ClientEnd["how"], more: Partial<ClientEnd> = {}): ClientEnd => {
    isOver = true;
    stopFollowing();
    unhear();
    return { how, oomKilled: false, ...more, lastLines: [...lastLines] };
  };

  const unhear = whenClosed(connection, () => hear("closed"));
  let following = follow();
  awaitExit();
  let engineBroke = false;
  let silent = 0;
  for (;;) {
    if (news.size === 0) await bell.rest(options.lookEveryMs);
    const heard = new Set(news);
    news.clear();
    if (heard.has("wait-broke")) engineBroke = true;
    const seen = await look();
    if (seen.kind === "connection-lost") return ended("connection-lost");
    if (seen.kind === "gone") return ended(engineBroke ? "engine-stopped" : "removed");
    if (seen.kind === "engine-silent") {
      // One look may come too late on a busy board.
      silent++;
      if (engineBroke) return ended("engine-stopped");
      const isGone = silent >= 2 || !(await engineAnswers());
      if (options.isSilent()) silent = 0;
      else if (isGone) return ended("engine-stopped");
      // What was heard is handled at the next look.
      for (const one of heard) news.add(one);
      if (heard.size > 0) await pause(200);
    } else silent = 0;
    if (seen.kind === "ended") {
      await within(LAST_WORDS_MS, following).catch(() => {});
      if (!isAllRead && !connection.isClosed) await readEnd().catch(() => {});
      const { exitCode, oomKilled } = seen;
      if (!oomKilled && ENDED_BY_SIGNAL.includes(exitCode) && !engineBroke) {
        engineBroke = await stopsSoon(engineAnswers);
      }
      if (connection.isClosed) return ended("connection-lost");
      return ended(engineBroke ? "engine-stopped" : "exited", { exitCode, oomKilled });
    }
    if (seen.kind === "running") {
      // An engine that was restarted under it may keep it (live-restore): then it is listened to again.
      if (heard.has("wait-broke")) {
        engineBroke = false;
        awaitExit();
      }
      if (heard.has("logs")) following = follow();
      if (heard.has("exit")) news.add("exit");
      if (heard.size > 0) await pause(200);
    }
  }
};

/** What has arrived already is not parsed: it may be megabytes of a client that prints without end. */
const abandon = (answer: IncomingMessage): void => {
  answer.socket.removeAllListeners("data");
  answer.destroy();
  answer.socket.resume();
};

const stopsSoon = async (answers: () => Promise<boolean>): Promise<boolean> => {
  for (let waited = 0; waited < SHUTDOWN_MS; waited += 200) {
    if (!(await answers())) return true;
    await pause(200);
  }
  return false;
};

const within = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  work.catch(() => {});
  const clock = new AbortController();
  const late = pause(ms, undefined, { signal: clock.signal }).then(() => {
    throw new Error(`no answer within ${ms} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clock.abort();
  }
};
