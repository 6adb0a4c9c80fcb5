import type { BoardFacts } from "#contract/boards.ts";
import { dropPart } from "./board-data/drop-part.ts";
import type { SshConnection } from "./board-ports.ts";
import { createEngine } from "./docker/engine.ts";
import { sweepWhenItAnswers } from "./launch/sweep.ts";

export interface BoardToSettle {
  readonly name: string;
  readonly labId: string;
  /** When its facts were read, in milliseconds; undefined where they never were. */
  factsAt(): number | undefined;
  /** @throws UserError before it was probed */
  facts(): BoardFacts;
  readFacts(connection: SshConnection): Promise<BoardFacts>;
  /** Studies that were deleted while their part was still on the board. */
  readonly drops: { list(device: string): readonly string[]; done(device: string, study: string): void };
  /** A study that runs now owns its containers. */
  isOwned(study: string): boolean;
  report(error: unknown): void;
  now(): number;
}

/** Facts that are older than this are read again at the next sign-in. */
const FACTS_LAST_MS = 3600 * 1000;

/** After each sign-in: what is known of the board is fresh, and nothing of an earlier session is left there. */
export const settleBoard = async (connection: SshConnection, board: BoardToSettle): Promise<void> => {
  if (board.now() - (board.factsAt() ?? 0) > FACTS_LAST_MS) await board.readFacts(connection);
  for (const study of board.drops.list(board.name)) await dropStudy(connection, board, study);
  const { docker } = board.facts();
  if (docker.state === "missing") return;
  const engine = createEngine(connection, docker.socket);
  // Not awaited: an engine may take long to start.
  sweepWhenItAnswers(engine, connection, board.labId, board.isOwned, board.name).catch(board.report);
};

/** Removes what a deleted study left on the board. */
export const dropStudy = async (
  connection: SshConnection,
  { name, drops }: Pick<BoardToSettle, "name" | "drops">,
  study: string,
): Promise<void> => {
  await dropPart(connection, study);
  drops.done(name, study);
};
