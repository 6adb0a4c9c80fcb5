import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import type { BoardFacts, BoardLogLine } from "#contract/boards.ts";
import { runScript } from "#main/boards/board-data/remote-script.ts";
import { whenClosed } from "#main/boards/board-data/when-closed.ts";
import {
  BoardError,
  type DockerEngine,
  type Forwarding,
  type SshConnection,
} from "#main/boards/board-ports.ts";
import { createClientOutput } from "./client-output.ts";
import type { Progress } from "./client-words.ts";
import { type ClientContainer, containerOptions } from "./container.ts";
import type { ClientEnd } from "./diagnose.ts";
import { imageMissing, notStarted, wordsOf } from "./launch-problems.ts";
import { listContainers, removeContainer, statusOf } from "./leftovers.ts";
import { countOomKills, type PreparedBoard, prepareBoard } from "./prepare-board.ts";
import { watchContainer } from "./watch-container.ts";

export interface LaunchOptions {
  readonly connection: SshConnection;
  readonly engine: DockerEngine;
  readonly facts: BoardFacts;
  readonly lab: string;
  readonly study: string;
  readonly run: string;
  readonly device: string;
  readonly image: string;
  readonly batchSize: number;
  /** Further arguments of the client: `--cid`, `--model`, …. */
  readonly serverArguments: readonly string[];
  /** The board's own folder, absolute; default: what the lab sends. */
  readonly dataFolder?: string;
  /**
   * Serves a channel from the client as this device's.
   * @param options.token needed where others on the board can open the channel, too: the client proves itself with it
   * @returns cuts it
   */
  readonly accept: (channel: Duplex, options?: { readonly token?: string }) => () => void;
  readonly onLine: (line: Pick<BoardLogLine, "at" | "stream" | "text">) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
  /** Default 4 s: an end that nothing announces is noticed within twice that. */
  readonly lookEveryMs?: number;
  /** The whole board does not answer now, which says nothing about its engine. Default: it always answers. */
  readonly isSilent?: () => boolean;
}

export interface LaunchedClient {
  /** Its name on the engine. */
  readonly container: string;
  readonly startedAt: string;
  /** Never rejects. */
  readonly ended: Promise<ClientEnd>;
  /**
   * Ends it: waits this long for it to end by itself, asks it to end, kills it; then removes it, unless it is kept, and
   * closes its tunnel to the server. Does nothing where the board is gone.
   */
  finish(options: { readonly graceMs: number; readonly keep?: boolean }): Promise<void>;
}

/** Between `docker stop` and the kill, in seconds. */
const STOP_SECONDS = 3;

/**
 * Starts the client of a study on a board: removes what an earlier one left, opens the tunnel to the server, creates the
 * container and starts it.
 *
 * @throws BoardError; nothing half-made stays
 */
export const launchClient = async (options: LaunchOptions): Promise<LaunchedClient> => {
  const { connection, engine, signal, study, device, lab } = options;
  const cuts = new Set<() => void>();
  const cutAll = (): void => {
    for (const cut of cuts) cut();
    cuts.clear();
  };
  // A channel of a dead connection may never close by itself, and what is outstanding there would hang.
  const forget = whenClosed(connection, cutAll);
  const serve = (channel: Duplex, token?: string): void => {
    const cut = options.accept(channel, token === undefined ? {} : { token });
    cuts.add(cut);
    channel.once("close", () => cuts.delete(cut));
    if (connection.isClosed) cutAll();
  };

  const board = await prepareBoard(connection, study, signal);
  for (const { id } of await listContainers(engine, lab, device)) await removeContainer(engine, id);
  const rootless = await isRootless(engine);
  signal.throwIfAborted();

  let way: ClientContainer["way"] = { kind: "socket" };
  let forwarding: Forwarding;
  try {
    forwarding = await connection.forwardSocket(`${board.folders.run}/s:1`, (channel) => serve(channel));
  } catch (error) {
    if (!(error instanceof BoardError && error.problem.code === "forwarding-refused")) throw error;
    const token = randomBytes(24).toString("base64url");
    const opened = await connection.forwardPort((channel) => serve(channel, token));
    forwarding = opened;
    way = { kind: "port", port: opened.port, token };
  }
  const closeWay = async (): Promise<void> => {
    forget();
    cutAll();
    await forwarding.close();
    await tidyRun(connection, board);
  };

  const gpu = options.facts.recipe?.gpu ?? false;
  const specification: ClientContainer = {
    lab,
    study,
    run: options.run,
    device,
    image: options.image,
    gpu,
    arguments: [
      ...options.serverArguments,
      ...["--batch-size", String(options.batchSize)],
      ...["--data-dir", "/fedfleet/data", "--part", `/fedfleet/parts/${study}.json`],
      ...["--state-dir", "/fedfleet/state", "--device", gpu ? "cuda" : "cpu"],
    ],
    way,
    // In a rootless engine, root inside is the user outside, and the user's own id would be somebody else.
    user: rootless ? "0:0" : `${board.uid}:${board.gid}`,
    groups: gpu ? board.gpuGroups : [],
    folders: { ...board.folders, data: options.dataFolder ?? board.folders.data },
    mark: randomBytes(3).toString("hex"),
    init: true,
  };
  let started: { id: string; name: string };
  try {
    started = await start(engine, specification, signal);
  } catch (error) {
    await closeWay().catch(() => {});
    throw error;
  }
  const { id, name } = started;

  let finishing: Promise<void> | undefined;
  const output = createClientOutput(options);
  const ended = watchContainer({
    connection,
    engine,
    id,
    onLine: output.line,
    onBehind: output.behind,
    lookEveryMs: options.lookEveryMs ?? 4000,
    isSilent: options.isSilent ?? (() => false),
  }).then(async (end) => {
    output.end();
    cutAll();
    if (end.exitCode !== 137 || end.oomKilled || finishing !== undefined) return end;
    // Where the engine has no memory limits, the kernel kills, and only its counter shows that.
    const kills = await countOomKills(connection).catch(() => undefined);
    return {
      ...end,
      oomKilled: kills !== undefined && board.oomKills !== undefined && kills > board.oomKills,
    };
  });

  const finish = async ({ graceMs, keep = false }: { graceMs: number; keep?: boolean }): Promise<void> => {
    if (graceMs > 0) await Promise.race([ended, pause(graceMs, undefined, { ref: false })]);
    if (connection.isClosed) return;
    try {
      if (keep) await stop(engine, id);
      else await removeContainer(engine, id);
    } finally {
      if (!connection.isClosed) await closeWay();
    }
  };
  return {
    container: name,
    startedAt: new Date().toISOString(),
    ended,
    finish: (how) => (finishing ??= finish(how)),
  };
};

const isRootless = async (engine: DockerEngine): Promise<boolean> => {
  const info = (await engine.ask((docker) => docker.info())) as {
    SecurityOptions?: readonly string[] | null;
  };
  return info.SecurityOptions?.some((option) => option.includes("rootless")) ?? false;
};

const start = async (
  engine: DockerEngine,
  specification: ClientContainer,
  signal: AbortSignal,
): Promise<{ id: string; name: string }> => {
  const create = containerOptions(specification);
  const { id } = await createdIn(engine, create, specification);
  try {
    signal.throwIfAborted();
    await engine.ask((docker) => docker.getContainer(id).start());
    return { id, name: create.name ?? id };
  } catch (error) {
    await removeContainer(engine, id).catch(() => {});
    if (specification.init && /docker-init/.test(wordsOf(error))) {
      return await start(engine, { ...specification, init: false }, signal);
    }
    throw notStarted(error);
  }
};

const createdIn = async (
  engine: DockerEngine,
  create: ReturnType<typeof containerOptions>,
  { image, device }: ClientContainer,
): Promise<{ id: string }> => {
  try {
    return await engine.ask((docker) => docker.createContainer(create));
  } catch (error) {
    const said = wordsOf(error);
    if (statusOf(error) === 404 || /no such image/i.test(said)) throw imageMissing(device, image, error);
    throw notStarted(error);
  }
};

/** `docker stop`; does nothing where it has ended already. */
const stop = async (engine: DockerEngine, id: string): Promise<void> => {
  try {
    await engine.ask((docker) => docker.getContainer(id).stop({ t: STOP_SECONDS }));
  } catch (error) {
    const status = statusOf(error);
    if (status !== 304 && status !== 404) throw error;
  }
};

/** Removes the socket and its folder. */
const tidyRun = async (connection: SshConnection, { folders }: PreparedBoard): Promise<void> => {
  await runScript(connection, `rm -f "$RUN/s:1"; rmdir "$RUN" 2>/dev/null; exit 0`, { RUN: folders.run });
};
