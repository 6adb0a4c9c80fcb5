import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { ClientChannel, SFTPWrapper } from "ssh2";
import type { BoardProblem, BoardState, HostKey, TelemetryPoint } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";

/** Types that all parts of this room share. */

/** What went wrong with a board: data for the page, thrown to end what was being done. */
export class BoardError extends UserError {
  readonly problem: BoardProblem;
  constructor(problem: BoardProblem, options: { cause?: unknown } = {}) {
    super(`${problem.title}. ${problem.cause} ${problem.next}`, options);
    this.name = "BoardError";
    this.problem = problem;
  }
}

export interface Ran {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to its standard input, which is then closed; default: closed at once. */
  readonly stdin?: string | Buffer;
  readonly signal?: AbortSignal;
  /** Default 30 s. Infinity: as long as it takes. */
  readonly timeoutMs?: number;
  /** Called with each chunk as it comes. Of what is collected, the last 256 KiB of each stream are kept. */
  readonly onOutput?: (text: string, stream: "stdout" | "stderr") => void;
}

/** One authenticated connection to a board whose host key was the pinned one. */
export interface SshConnection {
  /**
   * Runs one command line in the user's login shell and waits for its end.
   * @throws BoardError "connection-lost" when the connection ends first, "cancelled" when aborted, "no-answer" at the
   *   time limit. A command that fails is a result, not an error.
   */
  run(command: string, options?: RunOptions): Promise<Ran>;
  /**
   * A command whose output is read as it comes. Has error handlers already; wait for its `close`,
   * which brings the exit status and the signal's name ("exit" may come before a listener is there).
   */
  open(command: string): Promise<ClientChannel>;
  /** A channel to a unix socket on the board. @throws BoardError "forwarding-refused" when it cannot be opened */
  openSocket(path: string): Promise<Duplex>;
  /**
   * Lets the board's side connect to us at a unix socket that appears at `path` there (an old file is removed first).
   * @throws BoardError "forwarding-refused" where the SSH server forbids it
   */
  forwardSocket(path: string, onConnection: (channel: Duplex) => void): Promise<Forwarding>;
  /** The same at a free loopback port of the board. */
  forwardPort(onConnection: (channel: Duplex) => void): Promise<Forwarding & { readonly port: number }>;
  /** One SFTP session, made at the first call and shared. */
  sftp(): Promise<SFTPWrapper>;
  /** Settles, never rejects, when the connection is gone. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
  /** Why it is gone, once it is. */
  readonly lost?: BoardProblem | undefined;
  /** When anything came from the board last, in milliseconds as Date.now() counts. */
  readonly heardAt?: number;
  /** The key by which the board proved itself. */
  readonly hostKey: HostKey;
  /** Ends it at once. */
  end(): void;
}

export interface Forwarding {
  /** Ends it and removes the socket; quiet where the connection is gone. */
  close(): Promise<void>;
}

export interface LinkState {
  readonly state: BoardState;
  readonly since: string;
  readonly problem?: BoardProblem;
  /** When the next attempt to connect begins. */
  readonly retryAt?: string;
}

/** Keeps a board connected: connects, listens to its pulse, reports when it is silent, reconnects when it is lost. */
export interface BoardLink {
  readonly state: LinkState;
  /** Undefined unless it is online or silent. */
  readonly connection: SshConnection | undefined;
  /** @returns unsubscribes */
  onChange(listener: (state: LinkState) => void): () => void;
  /** Starts to keep it connected; at once, whatever the back-off says. Also unlocks it. */
  connect(): void;
  /** Keeps it connected from now on by a connection that is open already; an earlier one ends. */
  adopt(connection: SshConnection): void;
  /** Whether the pulse carries telemetry. Switching keeps the connection. Default: it does not. */
  readTelemetry(wanted: boolean): void;
  /**
   * The connection, as soon as there is one.
   * @throws the signal's reason; BoardError when the board is locked: only a person can help
   */
  online(signal: AbortSignal): Promise<SshConnection>;
  /** Ends the connection and does not try again until `connect`. */
  disconnect(): Promise<void>;
}

/** The pulse of a board: a command that prints about one line a second, each of them a sign of life. */
export interface Pulse {
  /** Its lines carry telemetry. */
  readonly command: string;
  /** Its lines carry nothing; for as long as nobody looks at the telemetry. */
  readonly heartbeat: string;
  /** @returns undefined for a line without telemetry */
  read(line: string): TelemetryPoint | undefined;
}

/** The board's Docker Engine, spoken to through its SSH connection. */
export interface DockerEngine {
  readonly docker: Docker;
  /**
   * Makes a call and waits for it, but never longer than the connection lives (a dead connection leaves some of
   * dockerode's promises open for ever).
   * @throws BoardError with the engine's own reason: "docker-missing", "docker-denied", "docker-stopped",
   *   "disk-full", "connection-lost", "docker-failed"
   */
  ask<T>(call: (docker: Docker) => Promise<T>): Promise<T>;
}

/** A device's part of a study's data, ready to be sent. */
export interface PartFiles {
  /** The text of the part file (its fields: device-scripts/README.md, "A part of a data set"). */
  readonly json: string;
  /** Local files with what the part names by SHA-256; none where the board has the data set itself. */
  readonly files: readonly { readonly sha256: string; readonly bytes: number; readonly path: string }[];
}

/** Where the lab's files are on a board, below the user's home folder. */
export const BOARD_FOLDERS = {
  /** Mode 0700; everything that the lab keeps there. */
  root: ".fedfleet",
  /** `<sha256>.npy`, shared by all studies. */
  data: ".fedfleet/data",
  /** `<study>.json` */
  parts: ".fedfleet/parts",
  /** `<study>/`: what the client keeps from round to round. */
  state: ".fedfleet/state",
  /** `<study>/s:1`: the socket of the forwarding. */
  run: ".fedfleet/run",
} as const;

/** Labels of everything that the lab creates on an engine. */
export const LABELS = {
  /** Which lab: the id of its data directory. */
  lab: "org.fedfleet.lab",
  study: "org.fedfleet.study",
  run: "org.fedfleet.run",
  device: "org.fedfleet.device",
  /** On the client image and all its layers, set by its Dockerfile. */
  client: "org.fedfleet.client",
  /** On an image: the digest of what it was built from. */
  recipe: "org.fedfleet.recipe",
} as const;
