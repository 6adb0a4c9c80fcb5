import { connect as connectHttp2 } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { answerAlways, joinRaw, until } from "./raw-client.ts";
import { leftReasons, startServer } from "./server.ts";

afterEach(() => void vi.useRealTimers());

const ask = { kind: "evaluate", parameters: [], config: {} } as const;

/** Lets the clock jump in steps, and the network answer in between. */
const passTime = async (seconds: number): Promise<void> => {
  for (let passed = 0; passed < seconds; passed += 10) {
    vi.advanceTimersByTime(10_000);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }
};

/** A cable between client and server that can be cut without anybody being told. */
const startCable = async (port: number) => {
  let cut = false;
  const server = createServer((client: Socket) => {
    const target = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on("data", (chunk) => {
        if (!cut) to.write(chunk);
      });
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      cut = true;
    },
    close: () => server.close(),
  };
};

test("an idle client stays for hours; one whose cable is cut is noticed by its pings", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  const server = await startServer();
  const cable = await startCable(server.port);
  const idle = joinRaw(server.port);
  const cut = joinRaw(cable.port);
  for (let i = 0; i < 200 && server.aggregator.sessions().length < 2; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(server.aggregator.sessions()).toHaveLength(2);
  await passTime(2 * 3600);
  expect(server.aggregator.sessions()).toHaveLength(2);
  cable.cut();
  // The last ping went at 7140 s, the next one goes 150 s from now and waits for 20.
  await passTime(140);
  expect(server.aggregator.sessions()).toHaveLength(2);
  await passTime(60);
  expect(server.aggregator.sessions().map((s) => s.device)).toEqual(["external-1"]);
  expect(leftReasons(server)).toEqual([
    expect.stringMatching(/external-2: the connection to the client was lost/),
  ]);
  vi.useRealTimers();
  void answerAlways(idle);
  expect((await server.aggregator.sessions()[0]!.request(ask)).ok).toBe(true);
  idle.close();
  cut.close();
  cable.close();
});

test("a connection without a call is closed after half a minute", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const server = await startServer();
  const session = connectHttp2(`http://127.0.0.1:${server.port}`);
  session.on("error", () => {});
  await new Promise((resolve) => session.once("remoteSettings", resolve));
  await passTime(20);
  expect(session.closed).toBe(false);
  await passTime(20);
  vi.useRealTimers();
  await until("it is closed", () => session.destroyed);
});

test("the window is opened and narrowed again, upload after upload, without a stall", async () => {
  const server = await startServer({ uploadSlots: 1 });
  const { client, session } = await server.join();
  const windows: number[] = [];
  client.session.on("remoteSettings", (s) => windows.push(s.initialWindowSize ?? 0));
  void answerAlways(client);
  for (let i = 0; i < 30; i++) {
    const elements = [300_000, 1_500_000, 10, 260_000, 2_900_000][i % 5]!;
    const tensor = {
      dtype: "float32",
      shape: [elements],
      bytes: new Uint8Array(4 * elements).fill(i),
    } as const;
    const result = await session.request({ kind: "fit", parameters: [tensor], config: {} });
    if (!result.ok || result.value.message.kind !== "fit") throw new Error("no fit");
    expect(result.value.message.parameters[0]!.bytes.at(-1)).toBe(i);
    result.value.release();
  }
  await until("the last window is narrow", () => windows.at(-1) === 65_535);
  expect(windows).toContain(4 << 20);
});
