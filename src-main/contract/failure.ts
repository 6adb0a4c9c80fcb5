/** Why something that was expected to work did not: data, never an exception. */
export type FailureCode =
  // a client and its connection
  | "connection-lost"
  | "protocol-broken"
  | "message-too-large"
  | "client-error"
  | "deadline"
  | "late"
  // an update that was refused
  | "count-mismatch"
  | "shape-mismatch"
  | "dtype-mismatch"
  | "not-finite"
  | "no-examples"
  | "bad-tensor"
  | "bad-metrics"
  // a join that was refused
  | "not-allowed"
  | "bad-token"
  // a worker process of virtual devices
  | "worker-crashed"
  // a board or its client
  | "board-lost"
  | "client-exited"
  | "out-of-memory"
  // a round
  | "too-few-updates"
  | "diverged";

/** Who failed, at which stage, why, and what a person can do next. */
export interface Failure {
  readonly code: FailureCode;
  /** The device's name, where one is to blame. */
  readonly device?: string;
  readonly stage: "join" | "download" | "fit" | "upload" | "aggregate" | "evaluate" | "run";
  /** One sentence, without the device's name. */
  readonly cause: string;
  /** The next step for a person, as an imperative sentence. */
  readonly next?: string;
}

export type Result<T, F = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

/**
 * A problem that a person can mend: bad input, a missing file, a locked directory. The message says what, where
 * and what to do; `exitCode` is what the command line ends with. Anything else that is thrown is a bug.
 */
export class UserError extends Error {
  readonly exitCode: number;
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.exitCode = options.exitCode ?? 2;
  }
}
