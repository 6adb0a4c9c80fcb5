import type { Failure } from "#contract/failure.ts";
import { metricsProblem } from "#main/wire/metric-limits.ts";
import type { ClientMessage } from "#main/wire/protocol.ts";

/** What a client answered. */
export interface Reply {
  /** Its tensors and bytes values are views of one buffer, and gone after `release`. */
  readonly message: ClientMessage;
  /** Bytes of the message as it came, without framing. */
  readonly bytesUp: number;
  /**
   * Frees the message's memory at once and lets the next upload in. Must be called, after everything that is kept
   * was copied: the views are empty afterwards.
   */
  release(): void;
}

export interface RequestHooks {
  /** The last byte of the request left for the kernel; with its size. */
  readonly onSent?: (bytes: number) => void;
  /** The first bytes of the reply are here; with the size that they announce. */
  readonly onUpload?: (announcedBytes: number) => void;
}

/** What stands for the answer to a goodbye that was lost with the connection. */
export const GOODBYE: Reply = { message: { kind: "disconnect", reason: 1 }, bytesUp: 0, release: () => {} };

/** Why a whole message is of no use, though the conversation goes on. */
export const problemIn = (message: ClientMessage): Pick<Failure, "code" | "cause"> | undefined => {
  if (message.kind !== "disconnect" && message.status.code !== 0) {
    const { code, message: text } = message.status;
    const said = text === "" ? "" : `: ${text.slice(0, 1000)}`;
    return { code: "client-error", cause: `the client answered with status ${code}${said}` };
  }
  const cause = metricsProblem(message);
  return cause === undefined ? undefined : { code: "bad-metrics", cause };
};

/** @param bytes the buffer that the message's tensors are views of */
export const replyOf = (message: ClientMessage, bytes: Uint8Array, releaseSlot: () => void): Reply => {
  let released = false;
  return {
    message,
    bytesUp: bytes.length,
    release: () => {
      if (released) return;
      released = true;
      // Detached, its memory is free at once, not when the garbage collector comes round.
      (bytes.buffer as ArrayBuffer).transfer(0);
      releaseSlot();
    },
  };
};
