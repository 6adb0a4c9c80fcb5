import type { Duplex } from "node:stream";
import type { BoardFacts, BoardLogLine, BoardProblem } from "#contract/boards.ts";
import type { Emit, TrainingProgress } from "#contract/events.ts";
import type { Failure, FailureCode } from "#contract/failure.ts";
import { createBell } from "./bell.ts";
import type { Board } from "./board.ts";
import type { PartFiles } from "./board-ports.ts";
import { createEngine } from "./docker/engine.ts";
import { keepClient } from "./launch/keep-client.ts";
import type { KeptClient } from "./launch/kept-client.ts";

export interface EngagementInput {
  readonly study: string;
  /** The run that comes first; `runBegan` names those that follow. */
  readonly run: string;
  readonly devices: readonly string[];
  readonly model: string;
  readonly seed: number;
  readonly batchSize: number;
  /** A board's part of the data; `dataFolder`: it has the data set itself and needs its indices only. */
  part(device: string, dataFolder: string | undefined): Promise<PartFiles>;
  /** A channel that came through the board's own connection, which makes its client this device. */
  accept(channel: Duplex, device: string, options?: { readonly token?: string }): () => void;
  /** Hears how far each training is. */
  onTraining(progress: TrainingProgress): void;
  /** Devices of the study, virtual and external ones included. */
  readonly fleetSize: number;
  readonly signal: AbortSignal;
  readonly boards: readonly Board[];
  readonly labId: string;
  imageTag(facts: BoardFacts): string | undefined;
  readonly emit: Emit;
  output(device: string, line: Omit<BoardLogLine, "id">): void;
  onBug(error: unknown): void;
}

export interface Engagement {
  /** A run of the study began: progress of the clients counts for it from now on. */
  runBegan(run: string): void;
  /** Why a board's connection to the server ended, where its client or its link knows more than the server. */
  explain(failure: Failure): Promise<Failure>;
  /** `politely`: the server has dismissed the clients already, and they may end by themselves. */
  stop(politely: boolean): Promise<void>;
  readonly over: Promise<void>;
}

/** The news that a client ended, or that a board is silent, may come this long after the connection broke. */
const NEWS_MS = 5000;

/** Starts the clients of a study on its boards and keeps them running, whatever happens to boards and engines. */
export const createEngagement = (input: EngagementInput): Engagement => {
  const over = Promise.withResolvers<void>();
  const byName = new Map(input.boards.map((board) => [board.name, board]));
  /** Rings when something about a board or its client changed. */
  const news = createBell();
  const unsubscribe: (() => void)[] = [];

  const engage = (board: Board): void => {
    unsubscribe.push(board.link.onChange(news.ring));
    board.link.connect();
    board.setClient(keepClientOn(board, input, news.ring));
  };
  for (const board of input.boards) engage(board);

  let stopped: Promise<void> | undefined;
  const stop = async (politely: boolean): Promise<void> => {
    news.ring();
    await Promise.all(
      input.boards.map(async (board) => {
        await board.client?.stop(politely);
        board.setClient(undefined);
      }),
    );
    for (const end of unsubscribe) end();
    over.resolve();
  };

  return {
    runBegan(run) {
      for (const board of input.boards) board.client?.runBegan(run);
    },
    async explain(failure) {
      const board = failure.device === undefined ? undefined : byName.get(failure.device);
      if (board === undefined || failure.code !== "connection-lost") return failure;
      const deadline = performance.now() + NEWS_MS;
      for (;;) {
        const problem = problemOf(board);
        if (problem !== undefined) return explained(failure, problem);
        const left = deadline - performance.now();
        if (left <= 0 || stopped !== undefined) return failure;
        await news.rest(left);
      }
    },
    stop: (politely) => (stopped ??= stop(politely)),
    over: over.promise,
  };
};

const keepClientOn = (board: Board, input: EngagementInput, onNews: () => void): KeptClient => {
  const { study, emit } = input;
  const { name, facts } = board;
  const { dataFolder } = board.record();
  return keepClient({
    name,
    link: board.link,
    engineOf: (connection) => createEngine(connection, facts().docker.socket),
    facts,
    image: () => input.imageTag(facts()),
    lab: input.labId,
    study,
    run: input.run,
    batchSize: input.batchSize,
    part: () => input.part(name, dataFolder),
    ...(dataFolder === undefined ? {} : { dataFolder }),
    serverArguments: ["--cid", name, "--model", input.model, "--seed", String(input.seed)],
    accept: (channel, options) => input.accept(channel, name, options),
    others: () => input.fleetSize - 1,
    onLine: (line) => input.output(name, { ...line, study }),
    onProgress: ({ run, round, fraction }) => input.onTraining({ device: name, run, round, fraction }),
    onClient: () => {
      onNews();
      board.changed();
    },
    emit,
    onBug: input.onBug,
    signal: input.signal,
  });
};

/** What is known now of why a board's client is not there. */
const problemOf = (board: Board): BoardProblem | undefined =>
  board.client?.problem() ?? board.link.state.problem;

const CODES: Readonly<Partial<Record<BoardProblem["code"], FailureCode>>> = {
  "out-of-memory": "out-of-memory",
  "cuda-out-of-memory": "out-of-memory",
  "client-exited": "client-exited",
  "client-killed": "client-exited",
  "bad-configuration": "client-exited",
  "data-missing": "client-exited",
  "data-damaged": "client-exited",
};

const explained = (failure: Failure, problem: BoardProblem): Failure => ({
  ...failure,
  code: CODES[problem.code] ?? "board-lost",
  cause: `${problem.title}: ${problem.cause.replace(/\.$/, "")}`,
  next: problem.next,
});
