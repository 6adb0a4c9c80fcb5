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
  /** Takes over a connection that was allowed to upgrade. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  count(): number;
  /** Closes every page's socket; resolves when all are closed. */
  close(): Promise<void>;
  /** Cuts off the sockets that have not closed. */
  terminate(): void;
}

/**
 * The connected pages. Each asks the lab's router over its own WebSocket. A page that stops answering pings is cut off,
 * so that its streams end. A frame that is not one of our messages closes that page's socket only.
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

  // Nothing may be awaited before upgrade(): a message that arrives meanwhile would be lost.
  const welcome = (socket: WebSocket) => {
    // For a frame that is too large or broken, ws closes the connection itself.
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

/** Passes on messages of the lab's protocol; anything else closes the socket. */
const listenFor =
  (socket: WebSocket) =>
  (kind: string, listener: Listener): void => {
    if (kind === "close") socket.on("close", () => listener({ data: undefined }));
    if (kind !== "message") return;
    socket.on("message", (data: RawData, isBinary: boolean) => {
      const text = isBinary ? undefined : data.toString();
      if (text === undefined || !isPageMessage(text))
        socket.close(UNSUPPORTED_DATA, "not a message of the lab's protocol");
      else listener({ data: text });
    });
  };
