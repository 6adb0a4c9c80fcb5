import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AnyRouter } from "@orpc/server";
import { RPCHandler } from "@orpc/server/ws";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { isPageMessage, MAX_MESSAGE } from "#main/hosts/page-api/page-message.ts";
import { createPatientSend } from "./back-pressure.ts";

const MISSED_PINGS = 2;
/** Close codes of RFC 6455 that are used here. */
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;

export interface LabSockets {
  /** Takes over a connection whose right to be here has been checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  count(): number;
  /** Says goodbye to every page; resolves when they all are gone. */
  close(): Promise<void>;
  /** Ends what has not answered the goodbye. */
  terminate(): void;
}

/**
 * The pages that are connected, each asking the lab's router over its own WebSocket. A page that no longer answers
 * pings is cut off, so that its streams end; a frame that is no message of ours closes that page's socket alone.
 */
export const createLabSockets = (router: AnyRouter, pingMs: number): LabSockets => {
  const handler = new RPCHandler(router);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
    clientTracking: true,
  });
  const missed = new WeakMap<WebSocket, number>();

  // Nothing may be awaited before upgrade(): a message that came in the meantime would be lost.
  const welcome = (socket: WebSocket) => {
    // A frame that is too large, or none at all: ws closes the connection, and has told us.
    socket.on("error", () => {});
    missed.set(socket, 0);
    socket.on("pong", () => missed.set(socket, 0));
    void handler.upgrade({
      send: createPatientSend(socket) as WebSocket["send"],
      addEventListener: listenFor(socket) as WebSocket["addEventListener"],
    });
  };

  const ping = setInterval(() => {
    for (const socket of server.clients) {
      const count = missed.get(socket) ?? 0;
      if (count >= MISSED_PINGS) {
        socket.terminate();
        continue;
      }
      missed.set(socket, count + 1);
      if (socket.readyState === socket.OPEN) socket.ping();
    }
  }, pingMs);
  ping.unref();

  return {
    accept: (request, socket, head) => server.handleUpgrade(request, socket, head, welcome),
    count: () => server.clients.size,
    close() {
      clearInterval(ping);
      for (const socket of server.clients) socket.close(GOING_AWAY, "the lab is closing");
      return new Promise((resolve) => server.close(() => resolve()));
    },
    terminate() {
      for (const socket of server.clients) socket.terminate();
    },
  };
};

type Listener = (event: { readonly data: unknown }) => void;

/** Hands on what is a message of the lab's protocol: what is none closes the socket. */
const listenFor =
  (socket: WebSocket) =>
  (kind: string, listener: Listener): void => {
    if (kind === "close") socket.on("close", () => listener({ data: undefined }));
    if (kind !== "message") return;
    socket.on("message", (data: RawData, isBinary: boolean) => {
      const text = isBinary ? undefined : data.toString();
      if (text === undefined || !isPageMessage(text)) socket.close(UNSUPPORTED_DATA, "no message of the lab");
      else listener({ data: text });
    });
  };
