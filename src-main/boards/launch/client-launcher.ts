import type { BoardProblem } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";
import { createDataBringer } from "./bring-data.ts";
import { type ClientEnd, diagnose } from "./diagnose.ts";
import type { KeepEvent } from "./keep-state.ts";
import type { KeepClientOptions } from "./kept-client.ts";
import { type LaunchedClient, launchClient } from "./launch-client.ts";
import { noImageFor, unforeseen } from "./launch-problems.ts";
import { listContainers, removeContainer } from "./leftovers.ts";

export interface ClientLauncherOptions extends KeepClientOptions {
  readonly lookEveryMs: number;
  /** The run that is in progress. */
  currentRun(): string;
  /** Hears how each piece of work ended; work itself never rejects. */
  send(event: KeepEvent): void;
}

/** Launches a client on its board, follows it to its end, and puts its containers away. */
export const createClientLauncher = (options: ClientLauncherOptions) => {
  const { name, link, study, lab, lookEveryMs, send } = options;
  const say = (text: string): void => options.onLine({ at: new Date().toISOString(), stream: "lab", text });
  const data = createDataBringer({ study, part: options.part, dataFolder: options.dataFolder, say });
  let client: LaunchedClient | undefined;
  let launching = new AbortController();
  /** A launch got as far as the engine: a container may be on the board. */
  let triedLaunch = false;

  /** What a board does not do is no bug. */
  const quietly = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof UserError)) options.onBug(error);
      return undefined;
    }
  };

  const start = async (
    connection: SshConnection,
    image: string,
    signal: AbortSignal,
  ): Promise<LaunchedClient> => {
    const dataFolder = await data.bring(connection, signal);
    triedLaunch = true;
    return await launchClient({
      connection,
      engine: options.engineOf(connection),
      facts: options.facts(),
      lab,
      study,
      run: options.currentRun(),
      device: name,
      image,
      batchSize: options.batchSize,
      serverArguments: options.serverArguments,
      ...(dataFolder === undefined ? {} : { dataFolder }),
      accept: options.accept,
      onLine: options.onLine,
      onProgress: (progress) => {
        if (progress.run === options.currentRun()) options.onProgress(progress);
      },
      signal,
      lookEveryMs,
      isSilent: () => isSilentOrWas(link, 2 * lookEveryMs),
    });
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

  /** @returns whether there was anything to remove */
  const removeContainers = async (): Promise<boolean> => {
    const { connection } = link;
    if (!triedLaunch || connection === undefined || connection.isClosed) return false;
    const engine = options.engineOf(connection);
    const left = await listContainers(engine, lab, name);
    for (const { id } of left) await removeContainer(engine, id);
    return left.length > 0;
  };

  return {
    say,
    distrustData: data.distrust,
    /** Brings the data and starts the client; sends "launched" or "launch-failed". */
    async launch(connection: SshConnection): Promise<void> {
      launching = new AbortController();
      const signal = AbortSignal.any([options.signal, launching.signal]);
      try {
        const image = options.image();
        if (image === undefined) throw noImageFor(options.facts());
        client = await start(connection, image, signal);
        watch(client);
        const { container, startedAt } = client;
        send({ kind: "launched", container, image, startedAt });
      } catch (error) {
        const isExpected = signal.aborted || connection.isClosed || error instanceof UserError;
        if (!isExpected) options.onBug(error);
        const problem = error instanceof BoardError ? error.problem : unforeseen(error);
        const connectionLost = connection.isClosed;
        send({ kind: "launch-failed", problem, connectionLost, now: Date.now() });
      }
    },
    cancel: (): void => launching.abort(),
    /** Ends the client; sends "ending-done". */
    async finish(how: { readonly graceMs: number; readonly keep: boolean }): Promise<void> {
      if (client !== undefined) await quietly(client.finish(how));
      send({ kind: "ending-done", removed: false, now: Date.now() });
    },
    /** Removes what earlier launches left on the board; sends "ending-done". */
    async clear(): Promise<void> {
      const removed = (await quietly(removeContainers())) === true;
      send({ kind: "ending-done", removed, now: Date.now() });
    },
  };
};

/** What was asked of a board while it was silent may be answered only some time after it is heard again. */
const isSilentOrWas = (link: BoardLink, afterMs: number): boolean =>
  link.state.state === "silent" || Date.now() - Date.parse(link.state.since) < afterMs;
