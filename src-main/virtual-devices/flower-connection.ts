import { type ClientHttp2Session, connect, constants } from "node:http2";
import type { Release } from "#contract/slots.ts";
import { createFrameDecoder, frameMessage } from "#main/wire/framing.ts";
import { type Dialect, JOIN_PATHS, MAX_MESSAGE_BYTES, TICKET_HEADER } from "#main/wire/protocol.ts";

/** Messages up to this size come and go freely; larger ones are taken in one at a time, when there is room. */
export const SMALL_MESSAGE_BYTES = 1 << 20;

/**
 * What a stream may hold unread: beside its socket, this is all that a waiting device costs. A message of Net's size
 * fits in whole.
 */
const WAITING_WINDOW_BYTES = 256 * 1024;
const DOWNLOAD_WINDOW_BYTES = 16 * 1024 * 1024;

/** A message from the server, and the slot that was taken to let it in, if it was large. */
export interface Incoming {
  /** The consumer clears it as soon as it no longer needs the bytes: a message may have half a gigabyte. */
  bytes: Uint8Array | undefined;
  readonly slot: Release | undefined;
}

export interface FlowerConnection {
  /** The next message; undefined once the connection has ended. */
  receive(): Promise<Incoming | undefined>;
  /**
   * Sends one message; resolves when its last byte was handed to the system.
   * @throws when the connection ends before that
   */
  send(chunks: readonly Uint8Array[]): Promise<void>;
  /** Aborts when the connection has ended, for whatever reason; its reason is an Error that says why. */
  readonly closed: AbortSignal;
  /** Says that nothing more will be sent, and waits briefly until the server ends the stream too. */
  end(): Promise<void>;
  /** Breaks the connection off, as a device does that loses its power. */
  cut(): void;
}

/** How long a server may take to end a stream after the client did, in milliseconds. */
const END_DEADLINE_MS = 1000;

/**
 * Joins a Flower server over plaintext HTTP/2: one connection with one stream of its own, as every Flower client
 * opens. The server speaks first.
 *
 * @param options.admit asked before a message of more than SMALL_MESSAGE_BYTES is read on; until it resolves the
 *   stream stays paused and the server's bytes stay with the server. The slot comes with the message.
 */
export const joinServer = (options: {
  readonly server: { readonly host: string; readonly port: number };
  readonly dialect: Dialect;
  readonly ticket: string;
  readonly admit: (bytes: number, signal: AbortSignal) => Promise<Release>;
}): FlowerConnection => {
  const { host, port } = options.server;
  const closing = new AbortController();
  const session = connect(`http://${host.includes(":") ? `[${host}]` : host}:${port}`, {
    settings: { initialWindowSize: WAITING_WINDOW_BYTES, enablePush: false },
  });
  const stream = session.request(
    {
      ":method": "POST",
      ":path": pathOf(options.dialect),
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "fedfleet-virtual",
      [TICKET_HEADER]: options.ticket,
    },
    { endStream: false },
  );
  const decoder = createFrameDecoder({ maxBytes: MAX_MESSAGE_BYTES });
  let arrived: Incoming | undefined;
  let consumer: ((incoming: Incoming | undefined) => void) | undefined;
  let admission: "none" | "asked" | "granted" = "none";
  let slot: Release | undefined;

  const close = (reason: Error) => {
    if (closing.signal.aborted) return;
    closing.abort(reason);
    slot?.();
    arrived?.slot?.();
    arrived = undefined;
    consumer?.(undefined);
    consumer = undefined;
    stream.close(constants.NGHTTP2_CANCEL);
    session.destroy();
  };

  const deliver = (bytes: Uint8Array) => {
    const incoming: Incoming = { bytes, slot };
    if (admission === "granted") widen(session, WAITING_WINDOW_BYTES);
    admission = "none";
    slot = undefined;
    if (arrived) close(new Error("the server sent a second message before the first was answered"));
    else if (consumer) {
      const take = consumer;
      consumer = undefined;
      take(incoming);
    } else arrived = incoming;
  };

  const askAdmission = async (bytes: number) => {
    admission = "asked";
    stream.pause();
    let granted: Release;
    try {
      granted = await options.admit(bytes, closing.signal);
    } catch {
      return; // the connection ended while it waited
    }
    if (closing.signal.aborted) return granted();
    slot = granted;
    admission = "granted";
    widen(session, DOWNLOAD_WINDOW_BYTES);
    stream.resume();
  };

  stream.on("data", (chunk: Buffer) => {
    try {
      for (const message of decoder.push(chunk)) deliver(message);
    } catch (error) {
      close(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (admission === "none" && (decoder.announced ?? 0) > SMALL_MESSAGE_BYTES) {
      void askAdmission(decoder.announced ?? 0);
    }
  });
  const onStatus = (headers: Record<string, unknown>) => {
    const status = headers["grpc-status"];
    if (status === undefined || status === "0") return;
    const text =
      typeof headers["grpc-message"] === "string" ? `: ${decodeText(headers["grpc-message"])}` : "";
    close(new Error(`the server ended the stream with gRPC status ${String(status)}${text}`));
  };
  stream.on("response", onStatus);
  stream.on("trailers", onStatus);
  stream.on("end", () => close(new Error("the server ended the stream")));
  stream.on("error", (error) => close(error));
  stream.on("close", () => close(new Error("the stream was closed")));
  session.on("error", (error) => close(error));
  session.on("close", () => close(new Error("the connection was closed")));
  // On this side the stream's window is what bounds memory; the connection carries nothing else.
  session.on("connect", () => session.setLocalWindowSize(DOWNLOAD_WINDOW_BYTES));

  return {
    closed: closing.signal,
    async receive() {
      if (closing.signal.aborted) return undefined;
      if (arrived) {
        const incoming = arrived;
        arrived = undefined;
        return incoming;
      }
      return await new Promise((resolve) => {
        consumer = resolve;
      });
    },
    send: (chunks) =>
      new Promise((resolve, reject) => {
        const frame = frameMessage(chunks);
        const last = frame.length - 1;
        const fail = () => reject(closing.signal.reason);
        if (closing.signal.aborted) return fail();
        closing.signal.addEventListener("abort", fail, { once: true });
        frame.forEach((chunk, i) => {
          if (i < last) stream.write(chunk);
          else {
            stream.write(chunk, (error) => {
              closing.signal.removeEventListener("abort", fail);
              if (error) reject(error);
              else resolve();
            });
          }
        });
      }),
    async end() {
      if (closing.signal.aborted) return;
      stream.end();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, END_DEADLINE_MS);
        closing.signal.addEventListener(
          "abort",
          () => {
            clearTimeout(timer);
            resolve();
          },
          { once: true },
        );
      });
      close(new Error("the device said goodbye"));
    },
    cut: () => close(new Error("the device cut the connection")),
  };
};

const pathOf = (dialect: Dialect): string => {
  const path = Object.keys(JOIN_PATHS).find((p) => JOIN_PATHS[p] === dialect);
  if (path === undefined) throw new Error(`no path for the dialect ${dialect}`);
  return path;
};

/** Sets what each stream may hold unread; the server learns it with the next frame. */
const widen = (session: ClientHttp2Session, bytes: number) => {
  if (!session.destroyed && !session.closed) session.settings({ initialWindowSize: bytes });
};

/** gRPC percent-encodes its status message. */
const decodeText = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
