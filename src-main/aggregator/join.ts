import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Failure, Result } from "#contract/failure.ts";
import { createFrameDecoder, frameMessage } from "#main/wire/framing.ts";
import { decodeClientMessage, encodeServerMessage, type OutgoingMessage } from "#main/wire/messages.ts";
import { type ClientMessage, type Dialect, WireError } from "#main/wire/protocol.ts";
import type { Connection } from "./connection.ts";
import { acceptCall, endCall, GRPC, type GrpcStatus } from "./grpc.ts";
import { EXPECTED_REPLY, NEXT_STEP, STAGE } from "./request-rules.ts";
import type { UploadSlot, UploadSlots } from "./upload-slots.ts";

/** Messages up to here need no upload slot: they cost less than the wait. */
const SLOTLESS_BYTES = 1 << 20;

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

/** One call of Join: the ping-pong with one client, whoever it is. */
export interface Join {
  readonly dialect: Dialect;
  readonly address: string;
  readonly busy: boolean;
  /** Why the call is over; undefined while it lives. */
  readonly ended: string | undefined;
  /** @param maxReplyBytes a tighter limit than the call's own */
  request(message: OutgoingMessage, hooks?: RequestHooks, maxReplyBytes?: number): Promise<Result<Reply>>;
  /** Ends the call with a status. What is outstanding fails with `reason`. */
  end(status: GrpcStatus, reason: string): void;
  /** Resolves when nothing is outstanding, or the call is over. */
  idle(): Promise<void>;
}

interface Outstanding {
  readonly kind: OutgoingMessage["kind"];
  readonly hooks: RequestHooks;
  readonly resolve: (result: Result<Reply>) => void;
  readonly maxReplyBytes: number;
  sent: boolean;
  /** The first bytes of the answer are here. */
  answering: boolean;
  /** Its size is known, and `onUpload` was called. */
  announced: boolean;
}

/**
 * Takes a Join call. The server speaks first and both sides alternate; whatever else the client does ends its call,
 * and nobody else's.
 *
 * @param options.maxMessageBytes the largest reply that is accepted
 * @param options.onIdle called after an answer arrived
 * @param options.onEnd called once, with the reason, when the call is over
 */
export const createJoin = (options: {
  readonly stream: ServerHttp2Stream;
  readonly connection: Connection;
  readonly dialect: Dialect;
  readonly slots: UploadSlots;
  readonly maxMessageBytes: number;
  readonly device: () => string | undefined;
  readonly onIdle: () => void;
  readonly onEnd: (reason: string) => void;
}): Join => {
  const { stream, connection, dialect, slots } = options;
  const removeCall = connection.addCall();
  const decoder = createFrameDecoder({ maxBytes: options.maxMessageBytes });
  let outstanding: Outstanding | undefined;
  let slot: UploadSlot | undefined;
  let narrow: (() => void) | undefined;
  let ended: string | undefined;
  let waiters: (() => void)[] = [];

  const stageOf = (request: Outstanding): Failure["stage"] => {
    if (request.answering) return "upload";
    const stage = STAGE[request.kind];
    return !request.sent && stage !== "join" ? "download" : stage;
  };

  const failure = (code: Failure["code"], stage: Failure["stage"], cause: string, next?: string): Failure => {
    const device = options.device();
    return {
      code,
      stage,
      cause,
      ...(device === undefined ? {} : { device }),
      ...(next === undefined ? {} : { next }),
    };
  };

  /** Answers what is outstanding, and tells whoever waits for quiet. */
  const settle = (result: Result<Reply>): void => {
    const request = outstanding;
    outstanding = undefined;
    request?.resolve(result);
    const waiting = waiters;
    waiters = [];
    for (const wake of waiting) wake();
  };

  const dropUpload = (): void => {
    narrow?.();
    narrow = undefined;
    slot?.release();
    slot = undefined;
  };

  const over = (cause: string, code: Failure["code"] = "connection-lost"): void => {
    if (ended !== undefined) return;
    const request = outstanding;
    const reason =
      request?.kind === "reconnect" && code === "connection-lost" ? "left when it was sent away" : cause;
    ended = reason;
    dropUpload();
    removeCall();
    if (request?.kind === "reconnect" && code === "connection-lost") {
      // Clients close right after they answer, and the answer is often lost with the channel: that is success.
      settle({
        ok: true,
        value: { message: { kind: "disconnect", reason: 1 }, bytesUp: 0, release: () => {} },
      });
    } else if (request !== undefined) {
      settle({ ok: false, failure: failure(code, stageOf(request), reason, NEXT_STEP[code]) });
    } else settle({ ok: false, failure: failure(code, "join", reason) });
    options.onEnd(reason);
  };

  const breakWith = (code: WireError["code"], cause: string): void => {
    over(cause, code);
    endCall(stream, code === "message-too-large" ? GRPC.RESOURCE_EXHAUSTED : GRPC.INVALID_ARGUMENT, cause);
    setTimeout(() => connection.closeIfUnused(), 200).unref();
  };

  /** The reply is whole. @throws WireError when it is not what was asked for */
  const finishReply = (request: Outstanding, bytes: Uint8Array): void => {
    const message = decodeClientMessage(dialect, bytes);
    if (message.kind !== EXPECTED_REPLY[request.kind]) {
      throw new WireError("protocol-broken", `answered ${request.kind} with ${message.kind}`);
    }
    narrow?.();
    narrow = undefined;
    slot?.arrived();
    const heldSlot = slot;
    slot = undefined;
    if (message.kind !== "disconnect" && message.status.code !== 0) {
      heldSlot?.release();
      const { code, message: text } = message.status;
      const cause = `the client answered with status ${code}${text === "" ? "" : `: ${text.slice(0, 1000)}`}`;
      settle({
        ok: false,
        failure: failure("client-error", STAGE[request.kind], cause, NEXT_STEP["client-error"]),
      });
    } else {
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        // Detached, its memory goes back now, not when the garbage collector comes round.
        (bytes.buffer as ArrayBuffer).transfer(0);
        heldSlot?.release();
      };
      settle({ ok: true, value: { message, bytesUp: bytes.length, release } });
    }
    options.onIdle();
  };

  const beginUpload = (request: Outstanding, announced: number): void => {
    request.announced = true;
    if (announced > request.maxReplyBytes) {
      throw new WireError(
        "message-too-large",
        `${announced} bytes; at most ${request.maxReplyBytes} are accepted`,
      );
    }
    request.hooks.onUpload?.(announced);
  };

  const queueForSlot = (): void => {
    stream.pause();
    slot = slots.acquire(() => {
      narrow = connection.widen();
      // Granted at once, the chunk at hand is still being taken in: go on after it.
      setImmediate(() => stream.resume());
    });
  };

  /** @throws WireError when the client does what it must not */
  const takeChunk = (chunk: Uint8Array): void => {
    const request = outstanding;
    if (request === undefined) throw new WireError("protocol-broken", "sent a message that nobody asked for");
    request.answering = true;
    const messages = decoder.push(chunk);
    slot?.progress(chunk.length);
    const [message] = messages;
    const announced = message?.length ?? decoder.announced;
    if (!request.announced && announced !== undefined) {
      beginUpload(request, announced);
      if (message === undefined && announced >= SLOTLESS_BYTES) queueForSlot();
    }
    if (message === undefined) return;
    if (messages.length > 1 || decoder.incomplete) {
      throw new WireError("protocol-broken", "sent a second message where one was asked for");
    }
    finishReply(request, message);
  };

  const take = (chunk: Uint8Array): void => {
    if (ended !== undefined) return;
    try {
      takeChunk(chunk);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      breakWith(error.code, error.message);
    }
  };

  stream.on("data", take);
  stream.on("error", () => {});
  const incomplete = (): string => {
    const size = decoder.announced === undefined ? "" : ` of ${decoder.announced}`;
    return `in the middle of a message, ${decoder.received}${size} bytes in`;
  };
  stream.once("end", () => {
    // Node ends the stream of a lost connection too; its "close" follows and says so.
    if (ended !== undefined || connection.lost || stream.destroyed || stream.closed) return;
    over(decoder.incomplete ? `the client ended the stream ${incomplete()}` : "the client ended the stream");
    endCall(stream, GRPC.OK);
  });
  stream.once("close", () => {
    const cancelled = !connection.lost && stream.rstCode === constants.NGHTTP2_CANCEL;
    const what = cancelled ? "the client cancelled the call" : "the connection to the client was lost";
    over(decoder.incomplete ? `${what} ${incomplete()}` : what);
  });
  acceptCall(stream);

  return {
    dialect,
    address: connection.address,
    get busy() {
      return outstanding !== undefined;
    },
    get ended() {
      return ended;
    },
    request: (message, hooks = {}, maxReplyBytes = options.maxMessageBytes) => {
      if (outstanding !== undefined) {
        throw new Error(`${options.device() ?? connection.address} is busy with ${outstanding.kind}`);
      }
      const stage = STAGE[message.kind];
      if (ended !== undefined) {
        return Promise.resolve({ ok: false, failure: failure("connection-lost", stage, ended) });
      }
      const chunks = encodeServerMessage(dialect, message);
      const bytes = chunks.reduce((n, c) => n + c.length, 0);
      if (bytes > options.maxMessageBytes) {
        const cause = `the request has ${bytes} bytes; at most ${options.maxMessageBytes} can be sent`;
        return Promise.resolve({ ok: false, failure: failure("message-too-large", stage, cause) });
      }
      return new Promise((resolve) => {
        const request: Outstanding = {
          kind: message.kind,
          hooks,
          resolve,
          maxReplyBytes,
          sent: false,
          answering: false,
          announced: false,
        };
        outstanding = request;
        const frames = frameMessage(chunks);
        stream.cork();
        frames.forEach((chunk, i) => {
          if (i < frames.length - 1) stream.write(chunk);
          else {
            stream.write(chunk, (error) => {
              if (error) return;
              request.sent = true;
              hooks.onSent?.(bytes);
            });
          }
        });
        stream.uncork();
      });
    },
    end: (status, reason) => {
      over(reason);
      endCall(stream, status, status === GRPC.OK ? "" : reason);
    },
    idle: () =>
      outstanding === undefined || ended !== undefined
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiters.push(resolve);
          }),
  };
};
