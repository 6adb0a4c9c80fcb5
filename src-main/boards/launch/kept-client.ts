import type { Duplex } from "node:stream";
import type { BoardFacts, BoardLogLine, BoardProblem, ClientView } from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import type { BoardLink, DockerEngine, PartFiles, SshConnection } from "#main/boards/board-ports.ts";
import type { Progress } from "./client-words.ts";

/** What `keepClient` takes and gives. */

export interface KeepClientOptions {
  /** The board, which is the device. */
  readonly name: string;
  readonly link: BoardLink;
  engineOf(connection: SshConnection): DockerEngine;
  facts(): BoardFacts;
  /** Undefined where no image can be made for it. */
  image(): string | undefined;
  readonly lab: string;
  readonly study: string;
  /** The run that is under way now. */
  run(): string;
  readonly batchSize: number;
  part(): Promise<PartFiles>;
  /** A folder of the board's own that holds the data set. */
  readonly dataFolder?: string;
  readonly serverArguments: readonly string[];
  /** See `LaunchOptions.accept`. */
  accept(channel: Duplex, options?: { readonly token?: string }): () => void;
  onLine(line: Pick<BoardLogLine, "at" | "stream" | "text">): void;
  onProgress(progress: Progress): void;
  onClient(view: ClientView): void;
  readonly emit: Emit;
  onBug(error: unknown): void;
  /** Of the study: nothing is begun after it. What runs is ended by `stop`. */
  readonly signal: AbortSignal;
  /** Devices of the study that could go on without this one. */
  others?(): number;
  readonly timing?: Partial<KeepTiming>;
}

export interface KeepTiming {
  /** Waits before the first, second, … start after an end that was not asked for; the last one repeats. */
  readonly backOffMs: readonly number[];
  /** A client that ran so long begins with the first wait again. */
  readonly resetMs: number;
  /** A client that was sent away may take so long to end. */
  readonly politeMs: number;
  /** See `LaunchOptions.lookEveryMs`. */
  readonly lookEveryMs: number;
}

export interface KeptClient {
  view(): ClientView;
  /** Why it does not run. */
  problem(): BoardProblem | undefined;
  /** Starts it now: anew where it runs, at once where it waits, again where it was given up or held. */
  restart(): void;
  /** Ends it until `restart`. "remove": its container goes, too. */
  hold(how: "stop" | "remove"): Promise<void>;
  /** Ends it for good. `politely`: the server has sent it away already, and it may end by itself. */
  stop(politely: boolean): Promise<void>;
}
