/** A web server on loopback with the habits, good and bad, that mirrors have. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Habits {
  /** Bytes of the body after which the connection is cut; undefined: never. Counted anew for each request. */
  readonly cutAfter?: number | undefined;
  /** How many requests are cut; then it behaves. */
  readonly cuts?: number;
  readonly noRanges?: boolean;
  /** Answers a range request with a range that begins elsewhere. */
  readonly wrongRange?: boolean;
  readonly status?: number;
  /** Sends no more after `cutAfter` bytes and keeps the connection open. */
  readonly stall?: boolean;
  readonly redirectTo?: string;
  /** Marks the body as packed, as servers do that know .gz files too well. */
  readonly contentEncoding?: string;
}

export const startFileServer = async (files: ReadonlyMap<string, Buffer>, habits: Habits = {}) => {
  const requests: { path: string; range: string | undefined }[] = [];
  let cuts = habits.cuts ?? Number.POSITIVE_INFINITY;

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "/";
    const range = request.headers.range;
    requests.push({ path, range });
    const file = files.get(path.slice(path.lastIndexOf("/") + 1));
    if (habits.redirectTo !== undefined) {
      response.writeHead(302, { location: `${habits.redirectTo}${path}` }).end();
      return;
    }
    if (habits.status !== undefined || !file) {
      response.writeHead(habits.status ?? 404).end("no");
      return;
    }
    const [, from] = /^bytes=(\d+)-$/.exec(range ?? "") ?? [];
    const ranged = from !== undefined && !habits.noRanges;
    const start = ranged ? Number(from) : 0;
    if (ranged && start >= file.length) {
      response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
      return;
    }
    const body = file.subarray(start);
    const headers: Record<string, string | number> = { "content-length": body.length };
    if (habits.contentEncoding) headers["content-encoding"] = habits.contentEncoding;
    const told = habits.wrongRange ? 1 : start;
    if (ranged) headers["content-range"] = `bytes ${told}-${file.length - 1}/${file.length}`;
    response.writeHead(ranged ? 206 : 200, headers);
    if (habits.cutAfter === undefined || cuts <= 0 || body.length <= habits.cutAfter) {
      response.end(body);
      return;
    }
    cuts--;
    response.write(body.subarray(0, habits.cutAfter), () => {
      // time for the bytes to arrive: a cut may overtake them
      if (!habits.stall) setTimeout(() => response.destroy(), 30);
    });
  };

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
