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
  /** What pages may ask of the lab. */
  readonly router: AnyRouter;
  /** The built page. */
  readonly rendererDir: string;
  /** Exactly this port (0: any that is free). Without one: DEFAULT_PORT, or any that is free where it is taken. */
  readonly port?: number | undefined;
  /** What went wrong on our side while a request was answered; the browser only gets a 500. */
  onProblem(error: unknown): void;
  readonly pingMs?: number;
}

export interface WebHost {
  /** With the token, for the terminal. */
  readonly url: string;
  /** For one opening within a minute: other users of this computer can read the arguments of a program. */
  urlForOnce(): string;
  readonly port: number;
  /** Pages that are connected. */
  connections(): number;
  /** Says goodbye to the pages and stops listening; what has not ended after `deadlineMs` is cut off. */
  close(deadlineMs: number): Promise<void>;
}

export const DEFAULT_PORT = 7340;
/** Beyond loopback the lab is never served: its token and its data would travel in plain text. */
const HOST = "127.0.0.1";
const MAX_PAGES = 32;
const SOCKET_PATH = "/lab";

/**
 * Serves the lab to browsers of this computer: the built page over HTTP, its questions over a WebSocket at /lab.
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
      else send(request, response, 500, "The lab could not answer. Its terminal says why.\n");
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
        ? `--port ${port}: this port is reserved; take one from 1024 on`
        : `--port ${port}: another program uses this port; name another, or leave --port out`,
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
  // A name of somebody else's that was made to lead here (DNS rebinding): no word of this lab, not even a refusal page.
  if (!access.knowsHost(headers.host)) return send(request, response, 421, "This server has no such name.\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return send(request, response, 405, "Only GET and HEAD.\n", { Allow: "GET, HEAD" });
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
  if (file === undefined) return send(request, response, 404, "There is no such file.\n");
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
  // On to an address without the token, which then stays in no history and in no screenshot.
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
 * Another page that embeds or fetches one of ours. Pages of other ports of this host count as the same site, so the
 * cookie alone does not tell; browsers say it in Sec-Fetch-Site. A link that is followed is no embedding.
 */
const isForeignRequest = ({ headers }: IncomingMessage): boolean => {
  const site = headers["sec-fetch-site"];
  return (site === "same-site" || site === "cross-site") && headers["sec-fetch-mode"] !== "navigate";
};

/** The cookie stays away when a link of another site led here: it comes when this page itself asks again. */
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
