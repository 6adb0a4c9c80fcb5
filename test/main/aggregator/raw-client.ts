import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { createFrameDecoder, frameMessage } from "#main/wire/framing.ts";
import { decodeServerMessage, encodeClientMessage } from "#main/wire/messages.ts";
import type { ClientMessageOut, Dialect, ReceivedServerMessage } from "#main/wire/protocol.ts";

const PATHS: Readonly<Record<Dialect, string>> = {
  transport: "/flower.transport.FlowerService/Join",
  flwr: "/flwr.proto.FlowerService/Join",
};

/** A client on bare HTTP/2, that can also do what no client should. */
export interface RawClient {
  readonly session: ClientHttp2Session;
  readonly call: ClientHttp2Stream;
  /** The server's next message. */
  next(): Promise<ReceivedServerMessage>;
  send(message: ClientMessageOut): void;
  /** Bytes as they are, without a frame. */
  sendBytes(bytes: Uint8Array): void;
  /** gRPC status and message; status -1 when the stream ended without. */
  readonly ended: Promise<{ status: number; message: string }>;
  close(): void;
}

export const joinRaw = (
  port: number,
  options: {
    dialect?: Dialect;
    path?: string;
    headers?: Record<string, string>;
    session?: ClientHttp2Session;
  } = {},
): RawClient => {
  const dialect = options.dialect ?? "flwr";
  const session = options.session ?? connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  const call = session.request({
    ":method": "POST",
    ":path": options.path ?? PATHS[dialect],
    "content-type": "application/grpc",
    te: "trailers",
    ...options.headers,
  });
  call.on("error", () => {});
  const decoder = createFrameDecoder({ maxBytes: 1 << 30 });
  const inbox: ReceivedServerMessage[] = [];
  const readers: ((m: ReceivedServerMessage) => void)[] = [];
  call.on("data", (chunk: Buffer) => {
    for (const bytes of decoder.push(chunk)) {
      const message = decodeServerMessage(dialect, bytes);
      const reader = readers.shift();
      if (reader === undefined) inbox.push(message);
      else reader(message);
    }
  });
  let last = { status: -1, message: "" };
  const note = (headers: Record<string, unknown>): void => {
    if (headers["grpc-status"] === undefined) return;
    last = {
      status: Number(headers["grpc-status"]),
      message: decodeURIComponent(String(headers["grpc-message"] ?? "")),
    };
    // The status is the last word of a call: gRPC clients then close their side too.
    call.end();
  };
  call.on("response", note);
  call.on("trailers", note);
  const ended = new Promise<{ status: number; message: string }>((resolve) => {
    call.on("close", () => resolve(last));
  });
  return {
    session,
    call,
    next: () => {
      const message = inbox.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve) => {
        readers.push(resolve);
      });
    },
    send: (message) => {
      for (const chunk of frameMessage(encodeClientMessage(dialect, message))) call.write(chunk);
    },
    sendBytes: (bytes) => void call.write(bytes),
    ended,
    close: () => session.destroy(),
  };
};

/** Answers every message in the way that a good client does, until it is sent away. */
export const answerAlways = async (client: RawClient): Promise<void> => {
  const status = { code: 0, message: "" };
  for (;;) {
    const message = await client.next();
    if (message.kind === "reconnect") {
      client.send({ kind: "disconnect", reason: 1 });
      client.call.end();
      return;
    }
    if (message.kind === "getProperties") client.send({ kind: "properties", status, properties: {} });
    else if (message.kind === "getParameters") client.send({ kind: "parameters", status, parameters: [] });
    else if (message.kind === "fit") {
      client.send({ kind: "fit", status, parameters: message.parameters, examples: 5, metrics: {} });
    } else client.send({ kind: "evaluate", status, loss: 0.5, examples: 5, metrics: {} });
  }
};

/** Waits until it is so; looks again every few milliseconds. */
export const until = async (what: string, holds: () => boolean, ms = 10_000): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Waits until a value has stayed the same for this many looks in a row, 10 ms apart. */
export const steady = async (what: string, value: () => number, looks = 10): Promise<void> => {
  let last = value();
  for (let same = 0, all = 0; same < looks; all += 1) {
    if (all > 2000) throw new Error(`never steady: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    same = value() === last ? same + 1 : 0;
    last = value();
  }
};
