import { connect, type Socket } from "node:net";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import type { RouterClient } from "@orpc/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { UserError } from "#contract/failure.ts";
import { DEFAULT_PORT, serveLab } from "#main/hosts/web/web.ts";
import {
  closed,
  type createRouter,
  nextMessage,
  openSocket,
  startHost,
  type TestHost,
  until,
} from "./host.ts";

type Client = RouterClient<ReturnType<typeof createRouter>["router"]>;

let host: TestHost;
const open: WebSocket[] = [];
beforeEach(async () => {
  host = await startHost({ pingMs: 150 });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.terminate();
  await host.end();
});

const connected = async (): Promise<WebSocket> => {
  const socket = await openSocket(host);
  open.push(socket);
  return socket;
};
const clientOf = (socket: WebSocket): Client =>
  createORPCClient(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }));
const ask = (id: string, path: string, input?: unknown) =>
  JSON.stringify({ i: id, p: { u: path, b: { json: input } } });

/** A client that has shaken hands and then does only what the test says: no pong, no reading. */
const bareSocket = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(host.port, "127.0.0.1", () => {
      socket.write(
        `GET /lab HTTP/1.1\r\nHost: 127.0.0.1:${host.port}\r\nOrigin: ${host.origin}\r\nCookie: ${host.cookie}\r\n` +
          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      );
    });
    socket.once("data", () => resolve(socket));
    socket.on("error", reject);
  });

describe("the page's WebSocket", () => {
  test("answers, also the first message that comes with the handshake", async () => {
    const socket = await connected();
    const client = clientOf(socket);
    expect(await client.echo("hello")).toBe("hello");
    expect(host.connections()).toBe(1);
  });

  test("an unknown procedure, a wrong input and a bug are answers; the connection lives on", async () => {
    const socket = await connected();
    socket.send(ask("1", "/no/such/thing"));
    expect(await nextMessage(socket)).toContain("404");
    socket.send(ask("2", "/__proto__/constructor"));
    expect(await nextMessage(socket)).toContain("404");
    socket.send(ask("3", "/echo", 5));
    expect(await nextMessage(socket)).toContain("400");
    socket.send(ask("4", "/fail"));
    const bug = await nextMessage(socket);
    expect(bug).toContain("500");
    expect(bug).not.toContain("a bug");
    expect(await clientOf(socket).echo("still here")).toBe("still here");
  });

  test.each<[string, string | Buffer, number]>([
    ["text that is no JSON", "hello", 1003],
    ["JSON that is no message", "[1,2]", 1003],
    ["null", "null", 1003],
    ["a message without an id", '{"p":{"u":"/echo"}}', 1003],
    ["a form", '{"i":"1","p":{"u":"/echo","h":{"content-type":"multipart/form-data"}}}', 1003],
    ["an endless id", `{"i":"${"1".repeat(65)}","p":{"u":"/echo"}}`, 1003],
    ["a path beyond the router", '{"i":"1","p":{"u":"/echo?a=1"}}', 1003],
    ["bytes", Buffer.from([0, 255, 1, 2]), 1003],
    ["a frame beyond 8 MiB", "x".repeat(8 * 1024 * 1024 + 1), 1009],
  ])("%s closes that page's socket and no other", async (_, data, code) => {
    const bystander = await connected();
    const socket = await connected();
    socket.send(data);
    expect(await closed(socket)).toBe(code);
    expect(await clientOf(bystander).echo("hello")).toBe("hello");
  });

  test.each([
    ['{"i":"1"}'],
    ['{"i":"1","p":null}'],
    ['{"i":"1","p":{"u":5}}'],
    ['{"i":"1","t":99,"p":{}}'],
    ['{"i":"1","p":{"u":"http://[","b":{}}}'],
    ['{"i":"1","t":4}'],
    ['{"i":"1","t":3,"p":{}}'],
  ])("%s is refused or ignored, and harms nobody", async (text) => {
    const socket = await connected();
    socket.send(text);
    const other = await connected();
    expect(await clientOf(other).echo("hello")).toBe("hello");
    if (socket.readyState === socket.OPEN) expect(await clientOf(socket).echo("hello")).toBe("hello");
  });

  test("bytes that are no WebSocket frame end that connection", async () => {
    const socket = await bareSocket();
    socket.write(Buffer.alloc(64, 0xff));
    await new Promise<void>((resolve) => socket.resume().on("close", () => resolve()));
    await until(() => host.connections() === 0, "the connection is counted out");
    expect(await clientOf(await connected()).echo("hello")).toBe("hello");
  });

  test("a peer that no longer answers is cut off and its streams end", async () => {
    const alive = await connected();
    const socket = await bareSocket();
    socket.write(frame(ask("1", "/quiet")));
    await until(() => host.seen.streams === 1, "the stream is open");
    socket.pause();
    await until(() => host.seen.streams === 0 && host.connections() === 1, "the dead peer is gone");
    expect(await clientOf(alive).echo("hello")).toBe("hello");
    socket.destroy();
  });

  test("closing the socket ends its streams", async () => {
    const socket = await connected();
    const stream = await clientOf(socket).quiet();
    await stream.next();
    expect(host.seen.streams).toBe(1);
    socket.close();
    await until(() => host.seen.streams === 0, "the stream has ended");
  });

  test("a page that stops reading is not sent without an end, and gets the rest when it reads again", async () => {
    await host.end();
    host = await startHost({ pingMs: 60_000 });
    const socket = await connected();
    socket.send(ask("1", "/flood", { bytes: 100_000 }));
    await nextMessage(socket);
    socket.pause();
    let before = -1;
    // It stands still once the buffers of both kernels and 1 MiB of ours are full.
    await until(() => {
      const still = before === host.seen.sent;
      before = host.seen.sent;
      return still;
    }, "the stream stands still");
    await new Promise((resolve) => setTimeout(resolve, 400));
    const sent = host.seen.sent;
    expect(sent - before).toBeLessThanOrEqual(1);
    expect(sent * 100_000).toBeLessThan(24 * 1024 * 1024);
    socket.resume();
    await until(() => host.seen.sent > sent + 100, "the stream goes on");
    socket.terminate();
    await until(() => host.seen.streams === 0, "the stream has ended");
  });

  test("a page that closes while its stream waits for it leaves no stream behind", async () => {
    const socket = await bareSocket();
    socket.pause();
    socket.write(frame(ask("1", "/flood", { bytes: 500_000 })));
    await until(() => host.seen.sent > 3, "the stream has begun");
    socket.destroy();
    await until(() => host.seen.streams === 0, "the stream has ended");
  });

  test("there are 32 places", async () => {
    for (let i = 0; i < 32; i++) await connected();
    await expect(openSocket(host)).rejects.toThrow("503");
    open[0]!.close();
    await until(() => host.connections() === 31, "a place is free");
    await connected();
  });
});

describe("opening and closing the host", () => {
  test("says goodbye with 1001, and cuts off who does not answer within the deadline", async () => {
    const polite = await connected();
    const deaf = await bareSocket();
    deaf.pause();
    const said = closed(polite);
    const startedAt = performance.now();
    await host.close(300);
    expect(await said).toBe(1001);
    expect(performance.now() - startedAt).toBeLessThan(1500);
    expect(host.connections()).toBe(0);
    deaf.destroy();
    await expect(openSocket(host)).rejects.toThrow("ECONNREFUSED");
  });

  const options = (port?: number) => ({ router: {}, rendererDir: "/nothing", onProblem: () => {}, port });

  test("an exact port that is taken is refused; without one another port is found", async () => {
    await expect(serveLab(options(host.port))).rejects.toThrow(UserError);
    await expect(serveLab(options(host.port))).rejects.toThrow(`--port ${host.port}`);
    const first = await serveLab(options());
    const second = await serveLab(options());
    expect(second.port).not.toBe(first.port);
    expect(second.port).not.toBe(DEFAULT_PORT);
    await Promise.all([first.close(100), second.close(100)]);
  });
});

/** A masked text frame, as a client sends it. */
const frame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error("too long for this frame");
  // A mask of zeros leaves the bytes as they are.
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
};
