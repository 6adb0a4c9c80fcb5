import { setTimeout as pause } from "node:timers/promises";
import { BoardError, type DockerEngine, type SshConnection } from "#main/fleet/board-ports.ts";
import { createLogReader } from "./container-log.ts";
import type { ClientEnd } from "./diagnose.ts";
import { statusOf } from "./leftovers.ts";

const LAST_LINES = 50;
/** After an end, so long for the rest of its output. */
const LAST_WORDS_MS = 1500;
/** An engine that shuts down ends its containers first; so long after an end it is looked whether it still answers. */
const SHUTDOWN_MS = 1200;
const ENDED_BY_SIGNAL = [137, 143, 130, 255];

export interface WatchOptions {
  readonly connection: SshConnection;
  readonly engine: DockerEngine;
  readonly id: string;
  readonly onLine: (stream: "stdout" | "stderr", text: string) => void;
  /** The engine is asked so often whether the container still runs, also when nothing is heard of it. */
  readonly lookEveryMs: number;
  /** The whole board does not answer now, or did not until a moment ago: then its engine's silence says nothing of the engine. */
  isSilent(): boolean;
}

/** What a look at the container says. */
type Look =
  | { readonly kind: "running" }
  | { readonly kind: "ended"; readonly exitCode: number; readonly oomKilled: boolean }
  | { readonly kind: "gone" }
  | { readonly kind: "engine-silent" }
  | { readonly kind: "connection-lost" };

type News = "exit" | "logs" | "wait-broke" | "time" | "closed";

/**
 * Follows a container's output until it ends, or nobody can tell any more.
 * Never rejects: how it ended is the answer.
 */
export const watchContainer = async (options: WatchOptions): Promise<ClientEnd> => {
  const { connection, engine, id } = options;
  const lastLines: string[] = [];
  const onLine = (stream: "stdout" | "stderr", text: string): void => {
    lastLines.push(text);
    if (lastLines.length > LAST_LINES) lastLines.shift();
    options.onLine(stream, text);
  };
  let latest: string | undefined;
  let stopFollowing = (): void => {};

  /** Resolves when the output is over, or its stream broke. */
  const follow = async (): Promise<"logs"> => {
    const since = latest === undefined ? {} : { since: Math.floor(Date.parse(latest) / 1000) };
    const stream = await engine.ask((docker) =>
      docker.getContainer(id).logs({ follow: true, stdout: true, stderr: true, timestamps: true, ...since }),
    );
    const reader = createLogReader(onLine, latest);
    const over = Promise.withResolvers<void>();
    stream.on("data", (chunk: Buffer) => {
      reader.push(chunk);
      latest = reader.latest;
    });
    for (const event of ["end", "close", "error"]) stream.on(event, () => over.resolve());
    stopFollowing = () => {
      over.resolve();
      (stream as { destroy?: () => void }).destroy?.();
    };
    await Promise.race([over.promise, connection.closed]);
    reader.end();
    return "logs";
  };
  const exited = async (): Promise<News> => {
    try {
      await engine.ask((docker) => docker.getContainer(id).wait());
      return "exit";
    } catch {
      return "wait-broke";
    }
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
    stopFollowing();
    return { how, oomKilled: false, ...more, lastLines: [...lastLines] };
  };

  let following = follow().catch((): "logs" => "logs");
  let exit = exited();
  let engineBroke = false;
  let silent = 0;
  for (;;) {
    const clock = new AbortController();
    const news = await Promise.race([
      exit,
      following,
      connection.closed.then((): News => "closed"),
      pause(options.lookEveryMs, "time" as const, { signal: clock.signal, ref: false }).catch(
        (): News => "time",
      ),
    ]);
    clock.abort();
    if (news === "wait-broke") engineBroke = true;
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
    } else silent = 0;
    if (seen.kind === "ended") {
      await Promise.race([following, pause(LAST_WORDS_MS), connection.closed]);
      const { exitCode, oomKilled } = seen;
      if (!oomKilled && ENDED_BY_SIGNAL.includes(exitCode) && !engineBroke) {
        engineBroke = await stopsSoon(engineAnswers);
      }
      if (connection.isClosed) return ended("connection-lost");
      return ended(engineBroke ? "engine-stopped" : "exited", { exitCode, oomKilled });
    }
    if (seen.kind === "running") {
      // An engine that was restarted under it may keep it (live-restore): then it is listened to again.
      if (news === "wait-broke") {
        engineBroke = false;
        exit = exited();
      }
      if (news === "logs") following = follow().catch((): "logs" => "logs");
      if (news !== "time") await pause(200);
    }
  }
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
