import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { UserError } from "#contract/failure.ts";
import { type Connection, createConnection, NARROW_WINDOW_BYTES } from "./connection.ts";
import { within } from "./deadline.ts";

export interface TlsSettings {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

type OnCall = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: Connection) => void;

const SETTINGS = {
  initialWindowSize: NARROW_WINDOW_BYTES,
  maxConcurrentStreams: 100,
  enablePush: false,
} as const;
/** In MB. Node counts what waits to be sent, and would refuse a second call while one update is on its way. */
const MAX_SESSION_MEMORY = 1100;

export interface Http2Endpoint {
  readonly server: Http2Server | Http2SecureServer;
  /** Cuts every connection that is still there. */
  destroyConnections(): void;
}

/**
 * An HTTP/2 server whose calls go to `onCall`; plaintext with prior knowledge, or TLS with ALPN h2. It does not
 * listen yet. What a peer does to its connection can end that connection, and no other.
 *
 * @param label what the connection is called where it has no address of its own
 * @throws UserError when the certificate or key cannot be used
 */
export const createEndpoint = (onCall: OnCall, tls?: TlsSettings, label?: string): Http2Endpoint => {
  const connections = new WeakMap<object, Connection>();
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | Http2SecureServer;
  const options = { settings: SETTINGS, maxSessionMemory: MAX_SESSION_MEMORY };
  if (tls === undefined) server = createServer(options);
  else {
    try {
      server = createSecureServer({ ...options, ...tls, allowHTTP1: false, minVersion: "TLSv1.2" });
    } catch (error) {
      throw new UserError(`TLS: the certificate or key cannot be used: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  const onConnection = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  };
  server.on("connection", onConnection);
  server.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    connections.set(session, createConnection(session, label));
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on("error", () => {});
    const connection = stream.session === undefined ? undefined : connections.get(stream.session);
    if (connection !== undefined) onCall(stream, headers, connection);
  });
  server.on("sessionError", () => {});
  server.on("tlsClientError", () => {});
  server.on("clientError", () => {});
  server.on("unknownProtocol", (socket: Socket) => socket.destroy());
  return {
    server,
    destroyConnections: () => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
};

/** @throws UserError when the address cannot be listened on */
export const listenOn = async (
  { server }: Http2Endpoint,
  host: string,
  port: number,
): Promise<{ host: string; port: number }> => {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const why =
        error.code === "EADDRINUSE"
          ? "another program is listening there; choose another port"
          : error.code === "EACCES"
            ? "this account may not open that port; choose one above 1023"
            : error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND"
              ? "this computer does not have that address"
              : error.message;
      reject(new UserError(`cannot listen on ${host}:${port}: ${why}`, { cause: error }));
    };
    server.once("error", fail);
    server.listen({ host, port }, () => {
      server.off("error", fail);
      server.on("error", () => {});
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
};

/** How long closing a port may take, in milliseconds. */
const CLOSE_DEADLINE_MS = 1000;

/** Stops listening, and cuts every connection that is still there. */
export const closeEndpoint = async ({ server, destroyConnections }: Http2Endpoint): Promise<void> => {
  const closed = server.listening
    ? new Promise<void>((resolve) => server.close(() => resolve()))
    : Promise.resolve();
  destroyConnections();
  await within(CLOSE_DEADLINE_MS, closed);
};
