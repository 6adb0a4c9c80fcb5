import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { os } from "@orpc/server";
import { WebSocket } from "ws";
import { z } from "zod";
import { serveLab, type WebHost } from "#main/hosts/web/web.ts";

/** A router of the test's own: the host knows nothing of what is asked. */
export const createRouter = () => {
  const seen = { streams: 0, sent: 0 };
  const router = {
    echo: os.input(z.string()).handler(({ input }) => input),
    fail: os.handler(() => {
      throw new Error("a bug");
    }),
    /** Counts without an end, as fast as its reader takes it. */
    flood: os.input(z.object({ bytes: z.number() })).handler(async function* ({ input, signal }) {
      seen.streams += 1;
      try {
        for (;;) {
          if (signal?.aborted) return;
          seen.sent += 1;
          yield "x".repeat(input.bytes);
        }
      } finally {
        seen.streams -= 1;
      }
    }),
    quiet: os.handler(async function* ({ signal }) {
      seen.streams += 1;
      try {
        yield "open";
        await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
      } finally {
        seen.streams -= 1;
      }
    }),
  };
  return { router, seen };
};

export interface TestHost extends WebHost {
  readonly seen: { streams: number; sent: number };
  readonly problems: unknown[];
  readonly folder: string;
  readonly origin: string;
  readonly cookie: string;
  end(): Promise<void>;
}

/** A served lab with a page of a few files, and a session that is let in. */
export const startHost = async (options: { pingMs?: number } = {}): Promise<TestHost> => {
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-web-"));
  const rendererDir = join(folder, "renderer");
  mkdirSync(join(rendererDir, "assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(rendererDir, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(rendererDir, "icon.svg"), "<svg/>");
  writeFileSync(join(rendererDir, "assets", "index-BxK2_9aQ.js"), "export const a = 1;\n".repeat(500));
  const { router, seen } = createRouter();
  const problems: unknown[] = [];
  const host = await serveLab({
    router,
    rendererDir,
    port: 0,
    onProblem: (error) => problems.push(error),
    ...options,
  });
  const traded = await get(host.port, host.url.slice(host.url.indexOf("/?")));
  return {
    ...host,
    seen,
    problems,
    folder,
    origin: `http://127.0.0.1:${host.port}`,
    cookie: traded.headers["set-cookie"]?.[0]?.split(";")[0] ?? "",
    async end() {
      await host.close(200);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request exactly as it is written here: fetch() would tidy the path and refuse to send a Host. */
export const get = (
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });

/** Opens a socket as a page would; rejects with the status that it was refused with. */
export const openSocket = (
  host: TestHost,
  headers: Readonly<Record<string, string>> = { origin: host.origin, cookie: host.cookie },
  path = "/lab",
): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}${path}`, { headers });
    socket.on("open", () => resolve(socket));
    socket.on("unexpected-response", (_, answer) => {
      reject(new Error(`refused with ${answer.statusCode}`));
      answer.destroy();
    });
    socket.on("error", reject);
  });

export const nextMessage = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once("message", (data) => resolve(data.toString())));

export const closed = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => socket.once("close", resolve));

/** Waits until it is so; fails after some seconds. */
export const until = async (holds: () => boolean, what: string): Promise<void> => {
  const patience = performance.now() + 8000;
  while (!holds()) {
    if (performance.now() > patience) throw new Error(`not within 8 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
