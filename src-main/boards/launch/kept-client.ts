import type { Duplex } from "node:stream";
import type { BoardFacts, BoardLogLine, BoardProblem, ClientView } from "#contract/boards.ts";
import type { Emit } from "#contract/events.ts";
import type { BoardLink, DockerEngine, PartFiles, SshConnection } from "#main/boards/board-ports.ts";
import type { Progress } from "./client-words.ts";

/** What `keepClient` takes and returns. */

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
  /** The run that comes first; `runBegan` names those that follow. */
  readonly run: string;
  readonly batchSize: number;
  part(): Promise<PartFiles>;
  /** A folder on the board that holds the data set. */
  readonly dataFolder?: string;
  readonly serverArguments: readonly string[];
  /** See `LaunchOptions.accept`. */
  accept(channel: Duplex, options?: { readonly token?: string }): () => void;
  onLine(line: Pick<BoardLogLine, "at" | "stream" | "text">): void;
  onProgress(progress: Progress): void;
  /** The view or the problem changed. */
  onClient(view: ClientView): void;
  readonly emit: Emit;
  onBug(error: unknown): void;
  /** Of the study: nothing is started after it. What runs is ended by `stop`. */
  readonly signal: AbortSignal;
  /** Devices of the study that could continue without this one. */
  others?(): number;
  readonly timing?: Partial<KeepTiming>;
}

export interface KeepTiming {
  /** Waits before the first, second, … start after an end that was not asked for; the last one repeats. */
  readonly backOffMs: readonly number[];
  /** A client that ran this long starts with the first wait again. */
  readonly resetMs: number;
  /** How long a client that the server has dismissed may take to end. */
  readonly politeMs: number;
  /** See `LaunchOptions.lookEveryMs`. */
  readonly lookEveryMs: number;
}

export interface KeptClient {
  view(): ClientView;
  /** Why it does not run. */
  problem(): BoardProblem | undefined;
  /** Another run of the study began: the client's progress counts for it from now on. */
  runBegan(run: string): void;
  /** Starts it now: again where it runs, at once where it waits, or after it was given up or held. */
  restart(): void;
  /** Ends it until `restart`. "remove": its container goes, too. */
  hold(how: "stop" | "remove"): Promise<void>;
  /** Ends it for good. `politely`: the server has dismissed it already, and it may end by itself. */
  stop(politely: boolean): Promise<void>;
}
