import { EventEmitter } from "node:events";
import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/message-port";
import { os } from "@orpc/server";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { CONNECT_CHANNEL, PORT_CHANNEL, serveLabPort } from "#main/hosts/desktop/port.ts";
import { followTheme, THEME_CHANNEL } from "#main/hosts/desktop/theme.ts";
import { isPageMessage } from "#main/hosts/page-api/page-message.ts";
import { FakeChannel, type FakeFrame, type FakePort, fakeFrame } from "#test/fakes/electron.ts";

let ipcMain: EventEmitter;
let refused: string[];
let asked: number;
let ended: number;
let close: () => void;
let uncaught: unknown[];
const note = (error: unknown) => uncaught.push(error);

const router = {
  add: os.input(z.object({ a: z.number(), b: z.number() })).handler(({ input }) => {
    asked += 1;
    return input.a + input.b;
  }),
  count: os.handler(async function* ({ signal }) {
    try {
      for (let n = 0; !signal?.aborted; n += 1) {
        yield n;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    } finally {
      ended += 1;
    }
  }),
};

beforeEach(() => {
  ipcMain = new EventEmitter();
  refused = [];
  asked = 0;
  ended = 0;
  uncaught = [];
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
  ({ close } = serveLabPort(
    { ipcMain, MessageChannelMain: FakeChannel } as unknown as Parameters<typeof serveLabPort>[0],
    { router, refused: (what) => refused.push(what) },
  ));
});
afterEach(async () => {
  close();
  await settled();
  process.off("uncaughtException", note);
  process.off("unhandledRejection", note);
  expect(uncaught).toEqual([]);
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

const connect = (frame: FakeFrame | null = fakeFrame("app://lab/"), id = 1, ...words: unknown[]) =>
  ipcMain.emit(CONNECT_CHANNEL, { sender: { id }, senderFrame: frame }, ...words);

const portOf = (frame: FakeFrame): FakePort => {
  const { channel, message, ports } = frame.posted.at(-1)!;
  expect([channel, message, ports.length]).toEqual([PORT_CHANNEL, null, 1]);
  return ports[0]!;
};

interface Client {
  add(input: { a: number; b: number }): Promise<number>;
  count(): Promise<AsyncIterable<number>>;
}

const clientOf = (port: FakePort): Client => {
  const client = createORPCClient(new RPCLink({ port: port as never })) as unknown as Client;
  port.start();
  return client;
};

test("our page gets a port, asks over it and hears a stream", async () => {
  const frame = fakeFrame("app://lab/index.html#/studies");
  connect(frame);
  const client = clientOf(portOf(frame));
  expect(await client.add({ a: 2, b: 3 })).toBe(5);
  const heard: number[] = [];
  for await (const n of await client.count()) {
    heard.push(n);
    if (n === 3) break;
  }
  expect(heard).toEqual([0, 1, 2, 3]);
  await settled();
  expect(ended).toBe(1);
});

test("a page that is loaded again gets a new port; the old one is closed and its streams end", async () => {
  const first = fakeFrame("app://lab/");
  connect(first);
  const old = portOf(first);
  await (await clientOf(old).count())[Symbol.asyncIterator]().next();
  const second = fakeFrame("app://lab/");
  connect(second);
  await settled();
  expect([old.closed, ended]).toEqual([true, 1]);
  expect(await clientOf(portOf(second)).add({ a: 1, b: 1 })).toBe(2);
});

test("closing the lab closes the ports", async () => {
  const frame = fakeFrame("app://lab/");
  connect(frame);
  close();
  expect(portOf(frame).closed).toBe(true);
});

test("no other frame gets a port", () => {
  const frames = [
    fakeFrame("https://example.com/"),
    fakeFrame("file:///index.html"),
    fakeFrame("about:blank"),
    fakeFrame("app://lab.example.com/"),
    fakeFrame("app://user@lab/"),
    fakeFrame(""),
    fakeFrame("app://lab/", fakeFrame("app://lab/")),
  ];
  for (const frame of frames) connect(frame);
  connect(null);
  expect(frames.flatMap(({ posted }) => posted)).toEqual([]);
  expect(refused).toHaveLength(frames.length + 1);
});

test("10,000 random messages to the channel that hands out ports: every one is refused", () => {
  const frame = fakeFrame("app://lab/");
  fc.assert(
    fc.property(fc.array(fc.anything(), { minLength: 1, maxLength: 4 }), (words) => {
      connect(frame, 1, ...words);
    }),
    { numRuns: 10_000 },
  );
  expect([frame.posted.length, refused.length]).toEqual([0, 10_000]);
});

/** What looks like a message of the protocol, and is none. */
const almost = fc.record(
  {
    i: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
    t: fc.oneof(fc.constantFrom(1, 2, 3, "4", null), fc.anything()),
    p: fc.oneof(
      fc.anything(),
      fc.record(
        {
          u: fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom("//x/add", "/a?b=1", "/../add", "/a b")),
          b: fc.oneof(fc.string(), fc.integer(), fc.array(fc.anything())),
          h: fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.anything())),
          m: fc.constantFrom("GET", "PUT", 1),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);

const json = (value: unknown): string => {
  try {
    return JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? String(part) : part)) ?? "";
  } catch {
    return "";
  }
};

const cloneable = (value: unknown): boolean => {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
};

test("10,000 random messages on the port: none is answered, none harms; the port lives on", async () => {
  const frame = fakeFrame("app://lab/");
  connect(frame);
  const port = portOf(frame);
  const answers: unknown[] = [];
  port.on("message", ({ data }) => answers.push(data));
  port.start();
  let sent = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        fc
          .anything({ withTypedArray: true, withDate: true, withMap: true, withSparseArray: true })
          .filter(cloneable),
        fc.string(),
        fc.json(),
        almost.map(json).filter((text) => !isPageMessage(text)),
      ),
      (data) => {
        port.postMessage(data);
        sent += 1;
      },
    ),
    { numRuns: 10_000 },
  );
  await settled();
  expect(answers).toEqual([]);
  expect(refused).toHaveLength(sent);
  port.removeAllListeners("message");
  expect(await clientOf(port).add({ a: 20, b: 1 })).toBe(21);
});

test("10,000 questions that are well formed and senseless are answered with an error, or not at all", async () => {
  const frame = fakeFrame("app://lab/");
  connect(frame);
  const port = portOf(frame);
  port.start();
  // Never one that the client below will use.
  const id = fc.string({ maxLength: 60 }).map((text) => `any ${text}`);
  const path = fc.oneof(
    fc.constantFrom("/add", "/count/x", "/__proto__", "/constructor", "/add/toString", "/"),
    fc.stringMatching(/^\/[\w/]{1,40}$/),
  );
  const question = fc.record({
    i: id,
    p: fc.record(
      {
        u: path,
        b: fc.dictionary(fc.constantFrom("json", "meta", "maps", "a"), fc.jsonValue()),
        h: fc.dictionary(fc.constantFrom("last-event-id", "x", "accept"), fc.string()),
      },
      { requiredKeys: ["u"] },
    ),
  });
  const abort = fc.record({ i: id, t: fc.constant(4), p: fc.jsonValue() });
  fc.assert(
    fc.property(fc.oneof(question, abort), (message) => {
      port.postMessage(JSON.stringify(message));
    }),
    { numRuns: 10_000 },
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(asked).toBe(0);
  port.removeAllListeners("message");
  expect(await clientOf(port).add({ a: 1, b: 2 })).toBe(3);
});

test("a message beyond 8 million characters is refused unread", () => {
  const long = JSON.stringify({ i: "1", p: { u: "/add", b: { json: "x".repeat(8 * 1024 * 1024) } } });
  expect(isPageMessage(long)).toBe(false);
  expect(isPageMessage(long.replace(/x+/, "x"))).toBe(true);
});

test("the theme is one of three, and our page's to choose", () => {
  const nativeTheme = { themeSource: "system" };
  followTheme({ ipcMain, nativeTheme } as unknown as Parameters<typeof followTheme>[0], (what) =>
    refused.push(what),
  );
  const send = (url: string, ...words: unknown[]) =>
    ipcMain.emit(THEME_CHANNEL, { sender: { id: 1 }, senderFrame: fakeFrame(url) }, ...words);
  send("app://lab/", "dark");
  expect(nativeTheme.themeSource).toBe("dark");
  send("https://example.com/", "light");
  fc.assert(
    fc.property(fc.array(fc.anything(), { maxLength: 3 }), (words) => {
      if (words.length === 1 && ["light", "dark", "system"].includes(words[0] as string)) return;
      send("app://lab/", ...words);
    }),
    { numRuns: 10_000 },
  );
  expect(nativeTheme.themeSource).toBe("dark");
  expect(refused).toHaveLength(10_001);
});
