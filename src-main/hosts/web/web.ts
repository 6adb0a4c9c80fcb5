import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { AnyRouter } from "@orpc/server";
import { UserError } from "#contract/failure.ts";
import { type Access, createAccess } from "./access.ts";
import { securityHeaders } from "./headers.ts";
import { NO_ACCESS, ONCE_MORE, TOO_MANY } from "./refusals.ts";
import { createLabSockets, type LabSockets } from "./sockets.ts";
import { createStaticFiles } from "./static-files.ts";

export interface WebOptions {
  /** Answers the pages' requests. */
  readonly router: AnyRouter;
  /** The built page. */
  readonly rendererDir: string;
  /** Exactly this port (0: any free one). Without it: DEFAULT_PORT, or any free one if that is taken. */
  readonly port?: number | undefined;
  /** Called with an error of ours in answering a request; the browser only gets a 500. */
  onProblem(error: unknown): void;
  readonly pingMs?: number;
}

export interface WebHost {
  /** With the token, for the terminal. */
  readonly url: string;
  /** Good for once, within a minute: other users of this computer can read a program's arguments. */
  urlForOnce(): string;
  readonly port: number;
  /** How many pages are connected. */
  connections(): number;
  /** Disconnects the pages and stops listening. After `deadlineMs`, open connections are cut off. */
  close(deadlineMs: number): Promise<void>;
}

export const DEFAULT_PORT = 7340;
/** The lab is served on loopback only: elsewhere its token and data would travel without encryption. */
const HOST = "127.0.0.1";
const MAX_PAGES = 32;
const SOCKET_PATH = "/lab";

/**
 * Serves the lab to browsers of this computer: the built page over HTTP, its requests over a WebSocket at /lab.
 * @throws UserError when the port is taken.
 */
export const serveLab = async (options: WebOptions): Promise<WebHost> => {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  server.maxConnections = 256;
  const port = await listen(server, options.port);
  const access = createAccess(port);
  const sockets = createLabSockets(options.router, options.pingMs ?? 5000);
  const files = createStaticFiles(options.rendererDir);

  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, access, files).catch((error: unknown) => {
      options.onProblem(error);
      if (response.headersSent) response.destroy();
      else send(request, response, 500, "The lab could not answer. See its terminal for the reason.\n");
    });
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const status = upgradeStatus(request, access, sockets);
    if (status === 101) sockets.accept(request, socket, head);
    else refuseUpgrade(socket, status);
  });
  server.on("error", options.onProblem);

  return {
    url: `http://${HOST}:${port}/?token=${access.token}`,
    urlForOnce: () => `http://${HOST}:${port}/?token=${access.tokenForOnce()}`,
    port,
    connections: sockets.count,
    async close(deadlineMs) {
      const closed = Promise.all([
        new Promise<void>((resolve) => server.close(() => resolve())),
        sockets.close(),
      ]);
      server.closeIdleConnections();
      const late = setTimeout(() => {
        sockets.terminate();
        server.closeAllConnections();
      }, deadlineMs);
      await closed;
      clearTimeout(late);
    },
  };
};

const listen = async (server: Server, port: number | undefined): Promise<number> => {
  try {
    return await listenOn(server, port ?? DEFAULT_PORT);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" && code !== "EACCES") throw error;
    if (port === undefined) return await listenOn(server, 0);
    throw new UserError(
      code === "EACCES"
        ? `--port ${port}: this port is reserved; use 1024 or higher`
        : `--port ${port}: another program uses this port; choose another one, or leave --port out`,
      { cause: error },
    );
  }
};

const listenOn = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: HOST, port, exclusive: true }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  files: ReturnType<typeof createStaticFiles>,
): Promise<void> => {
  const { headers } = request;
  // Another name that was made to lead here (DNS rebinding): it gets nothing of the lab, not even a refusal page.
  if (!access.knowsHost(headers.host))
    return send(request, response, 421, "This server does not have that name.\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return send(request, response, 405, "Only GET and HEAD are allowed.\n", { Allow: "GET, HEAD" });
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const token = path === "/" ? new URLSearchParams(query).get("token") : null;
  if (token !== null) return await tradeToken(request, response, access, token);
  if (!access.hasCookie(headers) || isForeignRequest(request)) {
    return send(request, response, 403, cameFromElsewhere(request) ? ONCE_MORE : NO_ACCESS, HTML);
  }
  if (path === SOCKET_PATH) {
    return send(request, response, 426, "This address is for the page's WebSocket.\n", {
      Upgrade: "websocket",
    });
  }
  const file = await files.find(path);
  if (file === undefined) return send(request, response, 404, "File not found.\n");
  const caching = { ETag: file.etag, "Cache-Control": file.cacheControl, Vary: "Accept-Encoding" };
  if (headers["if-none-match"] === file.etag) return send(request, response, 304, "", caching);
  const { encoding, bytes } = await file.body(headers["accept-encoding"]?.toString());
  send(request, response, 200, bytes, {
    ...caching,
    "Content-Type": file.type,
    ...(encoding === "identity" ? {} : { "Content-Encoding": encoding }),
  });
};

const HTML = { "Content-Type": "text/html; charset=utf-8" } as const;

const tradeToken = async (
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  token: string,
): Promise<void> => {
  const tried = access.tryToken(token);
  // Redirect to an address without the token, so that it stays in no history and no screenshot.
  if (tried.ok) {
    return send(request, response, 303, "", { Location: "/", "Set-Cookie": access.cookie() });
  }
  if (tried.waitMs === undefined) {
    return send(request, response, 429, TOO_MANY, { ...HTML, "Retry-After": "60" });
  }
  await new Promise((resolve) => setTimeout(resolve, tried.waitMs));
  send(request, response, 403, NO_ACCESS, HTML);
};

/**
 * Whether another page embeds or fetches one of ours. Pages on other ports of this host count as the same site, so the
 * cookie does not tell; the browser says it in Sec-Fetch-Site. Following a link is not embedding.
 */
const isForeignRequest = ({ headers }: IncomingMessage): boolean => {
  const site = headers["sec-fetch-site"];
  return (site === "same-site" || site === "cross-site") && headers["sec-fetch-mode"] !== "navigate";
};

/** After a link from another site, the browser sends no cookie; it does when our own page asks again. */
const cameFromElsewhere = ({ headers, url }: IncomingMessage): boolean =>
  url === "/" && headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] === "navigate";

const send = (
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): void => {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...securityHeaders(status === 421 ? undefined : request.headers.host),
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Length": bytes.length,
    ...headers,
  });
  response.end(request.method === "HEAD" ? undefined : bytes);
};

const upgradeStatus = (request: IncomingMessage, access: Access, sockets: LabSockets): number => {
  const { headers } = request;
  if (!access.knowsHost(headers.host)) return 421;
  if (request.url?.split("?", 1)[0] !== SOCKET_PATH) return 404;
  if (!access.isOwnOrigin(headers) || !access.hasCookie(headers)) return 403;
  return sockets.count() >= MAX_PAGES ? 503 : 101;
};

const REASONS: Readonly<Record<number, string>> = {
  403: "Forbidden",
  404: "Not Found",
  421: "Misdirected Request",
  503: "Service Unavailable",
};

const refuseUpgrade = (socket: Duplex, status: number): void => {
  const headers = Object.entries({ ...securityHeaders(), Connection: "close", "Content-Length": "0" });
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n`);
  socket.on("finish", () => socket.destroy());
};
