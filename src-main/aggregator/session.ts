import type { Result } from "#contract/failure.ts";
import type { CrewKind } from "#contract/fleet.ts";
import type { OutgoingMessage } from "#main/wire/messages.ts";
import type { Dialect } from "#main/wire/protocol.ts";
import type { Reply, RequestHooks } from "./reply.ts";

/** One connected device. Strict ping-pong: one request at a time. */
export interface Session {
  /** The device of the ticket or the channel, or `external-<lowest free number>`. */
  readonly device: string;
  readonly crew: CrewKind;
  readonly dialect: Dialect;
  /** `10.0.0.7:51234`. */
  readonly address: string;
  /** A request is outstanding, also one whose sender has stopped waiting for it. */
  readonly busy: boolean;
  /**
   * Sends one message and waits, without a time limit, for its answer.
   *
   * @returns the reply, whose `release` must be called; or why there is none. Never rejects for what a peer does.
   * @throws Error when the session is busy, which is a bug of the caller
   */
  request(message: OutgoingMessage, hooks?: RequestHooks): Promise<Result<Reply>>;
}
