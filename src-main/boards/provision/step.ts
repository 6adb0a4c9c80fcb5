import type { BoardFacts, StepId, StepView } from "#contract/boards.ts";
import type { DockerEngine, SshConnection } from "#main/boards/board-ports.ts";
import type { Root } from "./as-root.ts";

/** The board that is being set up, as the provisioner sees it. */
export interface BoardToSetUp {
  readonly name: string;
  connection(): Promise<SshConnection>;
  /** Signs in again: what a user may do is decided at sign-in. */
  reconnect(): Promise<SshConnection>;
  facts(): BoardFacts;
  /** Probes it again. */
  probe(): Promise<BoardFacts>;
  /** The folder with its data; undefined where the lab sends each study's part. */
  readonly dataFolder?: string;
}

export interface HowToProvision {
  /** Default: all that are open. */
  readonly steps?: readonly StepId[];
  readonly sudoPassword?: string;
  /** Steps whose consent was given. */
  readonly agreed: readonly StepId[];
  /** A saved image on this computer, instead of a build. */
  readonly imageFile?: string;
}

/** What a step needs while it is done or undone. */
export interface Work {
  readonly board: BoardToSetUp;
  readonly connection: SshConnection;
  readonly engine: () => DockerEngine;
  readonly root: Root;
  readonly signal: AbortSignal;
  readonly imageFile: string | undefined;
  /** Lines of output, as they come. */
  say(...lines: readonly string[]): void;
  progress(fraction: number): void;
}

/** What was found, and what would be done about it. */
export type Found = Pick<StepView, "state" | "text" | "commands" | "needsSudo" | "canUndo"> &
  Partial<Pick<StepView, "consent" | "problem">>;

/** One idempotent step: doing what is done already changes nothing. */
export interface Step {
  readonly id: StepId;
  readonly title: string;
  /** Asks the board where its facts are not enough. */
  look(board: BoardToSetUp): Promise<Found> | Found;
  run(work: Work): Promise<void>;
  undo?(work: Work): Promise<void>;
}
