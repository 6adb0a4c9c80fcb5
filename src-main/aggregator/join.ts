import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Failure, Result } from "#contract/failure.ts";
import { frameMessage } from "#main/wire/framing.ts";
import { decodeClientMessage, encodeServerMessage, type OutgoingMessage } from "#main/wire/messages.ts";
import { type Dialect, WireError } from "#main/wire/protocol.ts";
import type { Connection } from "./connection.ts";
import { acceptCall, endCall, GRPC, type GrpcStatus } from "./grpc.ts";
import { GOODBYE, problemIn, type Reply, type RequestHooks, replyOf } from "./reply.ts";
import { EXPECTED_REPLY, NEXT_STEP, STAGE } from "./request-rules.ts";
import { createUploadReader } from "./upload-reader.ts";
import type { UploadSlots } from "./upload-slots.ts";

/** Time for the final status to leave before a connection that broke the protocol is closed. */
const FINAL_STATUS_MS = 200;

/** One call of Join: the ping-pong with one client. */
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
}

interface JoinOptions {
  readonly stream: ServerHttp2Stream;
  readonly connection: Connection;
  readonly dialect: Dialect;
  readonly slots: UploadSlots;
  /** The largest message that is sent or accepted. */
  readonly maxMessageBytes: number;
  /** The device's name, where it is known already. */
  readonly device: () => string | undefined;
  /** Called after an answer arrived. */
  readonly onIdle: () => void;
  /** Called once, with the reason, when the call is over. */
  readonly onEnd: (reason: string) => void;
}

/**
 * Takes a Join call. The server speaks first and both sides alternate; anything else that the client does ends its
 * own call and no other.
 */
export const createJoin = (options: JoinOptions): Join => {
  const { stream, connection, dialect, maxMessageBytes } = options;
  const removeCall = connection.addCall();
  const uploads = createUploadReader({ ...options, maxBytes: maxMessageBytes });
  let outstanding: Outstanding | undefined;
  let ended: string | undefined;
  let waiters: (() => void)[] = [];

  const failed = (code: Failure["code"], stage: Failure["stage"], cause: string): Result<never> => {
    const device = options.device();
    const next = NEXT_STEP[code];
    return {
      ok: false,
      failure: {
        code,
        stage,
        cause,
        ...(device === undefined ? {} : { device }),
        ...(next === undefined ? {} : { next }),
      },
    };
  };

  /** Answers what is outstanding, and wakes those that wait for quiet. */
  const settle = (result: Result<Reply>): void => {
    const request = outstanding;
    outstanding = undefined;
    request?.resolve(result);
    const waiting = waiters;
    waiters = [];
    for (const wake of waiting) wake();
  };

  const over = (cause: string, code: Failure["code"] = "connection-lost"): void => {
    if (ended !== undefined) return;
    const request = outstanding;
    // Clients close right after they answer a goodbye, and the answer is often lost with the channel: that is success.
    const saidGoodbye = request?.kind === "reconnect" && code === "connection-lost";
    const reason = saidGoodbye ? "left when it was sent away" : cause;
    ended = reason;
    uploads.drop();
    removeCall();
    if (saidGoodbye) settle({ ok: true, value: GOODBYE });
    else settle(failed(code, request === undefined ? "join" : stageOf(request), reason));
    options.onEnd(reason);
  };

  const breakWith = ({ code, message }: WireError): void => {
    over(message, code);
    endCall(stream, code === "message-too-large" ? GRPC.RESOURCE_EXHAUSTED : GRPC.INVALID_ARGUMENT, message);
    setTimeout(() => connection.closeIfUnused(), FINAL_STATUS_MS).unref();
  };

  /** The reply is whole. @throws WireError when it is not what was asked for */
  const finishReply = (request: Outstanding, bytes: Uint8Array): void => {
    const message = decodeClientMessage(dialect, bytes);
    if (message.kind !== EXPECTED_REPLY[request.kind]) {
      throw new WireError("protocol-broken", `answered ${request.kind} with ${message.kind}`);
    }
    const releaseSlot = uploads.arrived();
    const problem = problemIn(message);
    if (problem === undefined) settle({ ok: true, value: replyOf(message, bytes, releaseSlot) });
    else {
      releaseSlot();
      settle(failed(problem.code, STAGE[request.kind], problem.cause));
    }
    options.onIdle();
  };

  /** @throws WireError when the client does what it must not */
  const takeChunk = (chunk: Uint8Array): void => {
    const request = outstanding;
    if (request === undefined) throw new WireError("protocol-broken", "sent a message without a request");
    request.answering = true;
    const message = uploads.push(chunk, {
      maxBytes: request.maxReplyBytes,
      onSize: (bytes) => request.hooks.onUpload?.(bytes),
    });
    if (message !== undefined) finishReply(request, message);
  };

  stream.on("data", (chunk: Uint8Array) => {
    if (ended !== undefined) return;
    try {
      takeChunk(chunk);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      breakWith(error);
    }
  });
  stream.on("error", () => {});
  const atWhichPoint = (what: string): string =>
    uploads.middle === undefined ? what : `${what} ${uploads.middle}`;
  stream.once("end", () => {
    // Node ends the stream of a lost connection too; its "close" follows and says so.
    if (ended !== undefined || connection.lost || stream.destroyed || stream.closed) return;
    over(atWhichPoint("the client ended the stream"));
    endCall(stream, GRPC.OK);
  });
  stream.once("close", () => {
    const cancelled = !connection.lost && stream.rstCode === constants.NGHTTP2_CANCEL;
    over(atWhichPoint(cancelled ? "the client cancelled the call" : "the connection to the client was lost"));
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
    request: (message, hooks = {}, maxReplyBytes = maxMessageBytes) => {
      if (outstanding !== undefined) {
        throw new Error(`${options.device() ?? connection.address} is busy with ${outstanding.kind}`);
      }
      if (ended !== undefined) return Promise.resolve(failed("connection-lost", STAGE[message.kind], ended));
      const chunks = encodeServerMessage(dialect, message);
      const bytes = totalBytes(chunks);
      if (bytes > maxMessageBytes) {
        const cause = `the request has ${bytes} bytes; at most ${maxMessageBytes} can be sent`;
        return Promise.resolve(failed("message-too-large", STAGE[message.kind], cause));
      }
      return new Promise((resolve) => {
        const request: Outstanding = {
          kind: message.kind,
          hooks,
          resolve,
          maxReplyBytes,
          sent: false,
          answering: false,
        };
        outstanding = request;
        sendFrame(stream, chunks, () => {
          request.sent = true;
          hooks.onSent?.(bytes);
        });
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

const stageOf = (request: Outstanding): Failure["stage"] => {
  if (request.answering) return "upload";
  const stage = STAGE[request.kind];
  return !request.sent && stage !== "join" ? "download" : stage;
};

const totalBytes = (chunks: readonly Uint8Array[]): number => chunks.reduce((n, c) => n + c.length, 0);

/** Writes one message. @param onSent called when its last byte has left for the kernel */
const sendFrame = (stream: ServerHttp2Stream, chunks: readonly Uint8Array[], onSent: () => void): void => {
  const frames = frameMessage(chunks);
  stream.cork();
  frames.forEach((chunk, i) => {
    if (i < frames.length - 1) stream.write(chunk);
    else {
      stream.write(chunk, (error) => {
        if (!error) onSent();
      });
    }
  });
  stream.uncork();
};
