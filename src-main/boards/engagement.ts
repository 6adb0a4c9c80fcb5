import type { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { BoardFacts, BoardLogLine, BoardProblem } from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import type { Failure, FailureCode } from "#contract/failure.ts";
import type { Board } from "./board.ts";
import type { PartFiles } from "./board-ports.ts";
import { createEngine } from "./docker/engine.ts";
import { keepClient } from "./launch/keep-client.ts";

export interface EngagementInput {
  readonly study: string;
  /** The run that is under way now. */
  run(): string;
  readonly devices: readonly string[];
  readonly model: string;
  readonly seed: number;
  readonly batchSize: number;
  /** A board's part of the data; `dataFolder`: it has the data set itself and needs its indices only. */
  part(device: string, dataFolder: string | undefined): Promise<PartFiles>;
  /** A channel that came through the board's own connection: whoever speaks there is this device. */
  accept(channel: Duplex, device: string, options?: { readonly token?: string }): () => void;
  /** Devices of the study, virtual and foreign ones, too. */
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
  /** Why a board's connection to the server ended, where its client or its link knows better than the wire. */
  explain(failure: Failure): Promise<Failure>;
  /** `politely`: the server has sent the clients away already, and they may end by themselves. */
  stop(politely: boolean): Promise<void>;
  readonly over: Promise<void>;
}

/** The news of an exit, or of a silent board, may come after the broken connection. */
const NEWS_MS = 5000;
const LOOK_MS = 100;

/** Brings the clients of a study up on its boards and keeps them there, whatever happens to boards and engines. */
export const createEngagement = (input: EngagementInput): Engagement => {
  const { study, emit } = input;
  const over = Promise.withResolvers<void>();
  const byName = new Map(input.boards.map((board) => [board.name, board]));

  const engage = (board: Board): void => {
    const { facts } = board;
    const { dataFolder } = board.record();
    board.link.connect();
    board.setClient(
      keepClient({
        name: board.name,
        link: board.link,
        engineOf: (connection) => createEngine(connection, facts().docker.socket),
        facts,
        image: () => input.imageTag(facts()),
        lab: input.labId,
        study,
        run: input.run,
        batchSize: input.batchSize,
        part: () => input.part(board.name, dataFolder),
        ...(dataFolder === undefined ? {} : { dataFolder }),
        serverArguments: ["--cid", board.name, "--model", input.model, "--seed", String(input.seed)],
        accept: (channel, options) => input.accept(channel, board.name, options),
        others: () => input.fleetSize - 1,
        onLine: (line) => input.output(board.name, { ...line, study }),
        onProgress: ({ run, round, fraction }) =>
          emit({ kind: "client-progress", run, round, device: board.name, phase: "training", fraction }),
        onClient: () => board.changed(),
        emit,
        onBug: input.onBug,
        signal: input.signal,
      }),
    );
  };
  for (const board of input.boards) engage(board);

  /** What is known now of why a board's client is not there. */
  const problemOf = (board: Board): BoardProblem | undefined =>
    board.client?.problem() ?? board.link.state.problem;

  let stopped: Promise<void> | undefined;
  const stop = async (politely: boolean): Promise<void> => {
    await Promise.all(
      input.boards.map(async (board) => {
        await board.client?.stop(politely);
        board.setClient(undefined);
      }),
    );
    over.resolve();
  };

  return {
    async explain(failure) {
      const board = failure.device === undefined ? undefined : byName.get(failure.device);
      if (board === undefined || failure.code !== "connection-lost") return failure;
      for (let waited = 0; waited < NEWS_MS && stopped === undefined; waited += LOOK_MS) {
        const problem = problemOf(board);
        if (problem !== undefined) return explained(failure, problem);
        await setTimeout(LOOK_MS);
      }
      return failure;
    },
    stop: (politely) => (stopped ??= stop(politely)),
    over: over.promise,
  };
};

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
