import { type AddressInfo, createServer, connect as dial, type Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createSlots, type Release } from "#contract/slots.ts";
import { float32Tensor } from "#contract/tensor.ts";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { type FlowerConnection, joinServer } from "#main/virtual-devices/flower-connection.ts";
import { encodeClientMessage } from "#main/wire/messages.ts";
import { steady, until } from "./virtual-lab.ts";

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A way to the server that counts what goes down it. */
const countingProxy = async (port: number): Promise<{ port: number; down: () => number }> => {
  let down = 0;
  const proxy: Server = createServer((near) => {
    const far = dial(port, "127.0.0.1");
    far.on("data", (chunk) => {
      down += chunk.length;
    });
    near.pipe(far).pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    closing.push(() => {
      near.destroy();
      far.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    proxy.close();
  });
  return { port: (proxy.address() as AddressInfo).port, down: () => down };
};

const openServer = async () => {
  const aggregator = createAggregator({ emit: () => {}, admission: { kind: "allow", addresses: [] } });
  closing.push(() => aggregator.close({ deadlineMs: 100 }));
  const { port } = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  return { aggregator, ...(await countingProxy(port)) };
};

const joinAs = (
  port: number,
  ticket: string,
  admit: (bytes: number, signal: AbortSignal) => Promise<Release>,
): FlowerConnection => {
  const connection = joinServer({ server: { host: "127.0.0.1", port }, dialect: "flwr", ticket, admit });
  closing.push(() => connection.cut());
  return connection;
};

const MEGABYTES = 8;
const large = { ...float32Tensor([MEGABYTES << 18], new Float32Array(MEGABYTES << 18).fill(1.5)) };
const answer = encodeClientMessage("flwr", {
  kind: "fit",
  status: { code: 0, message: "" },
  parameters: [],
  examples: 1,
  metrics: {},
});

test("large messages stay with the server until there is room; small ones pass", async () => {
  const { aggregator, port, down } = await openServer();
  const slots = createSlots(1);
  const hold = await slots.acquire(new AbortController().signal);
  const announced: number[] = [];
  const devices = Array.from({ length: 10 }, (_, i) => `virtual-${i + 1}`);
  const connections = devices.map((device) =>
    joinAs(port, aggregator.issueTicket(device), (bytes, signal) => {
      announced.push(bytes);
      return slots.acquire(signal);
    }),
  );
  await until(() => aggregator.sessions().length === devices.length);
  let sent = 0;
  const replies = aggregator
    .sessions()
    .map((s) => s.request({ kind: "fit", parameters: [large], config: {} }, { onSent: () => sent++ }));
  await until(() => announced.length === devices.length);
  await steady(down);
  expect(announced.every((bytes) => bytes > MEGABYTES << 20)).toBe(true);
  expect(sent).toBe(0);
  // What lies in the windows of ten devices that wait, instead of ten messages.
  expect(down()).toBeLessThan(10 * 400 * 1024);

  let inMemory = 0;
  let most = 0;
  const done = connections.map(async (connection) => {
    const incoming = await connection.receive();
    inMemory += 1;
    most = Math.max(most, inMemory);
    expect(incoming?.bytes?.length).toBeGreaterThan(MEGABYTES << 20);
    await turn();
    inMemory -= 1;
    incoming?.slot?.();
    await connection.send(answer);
  });
  hold();
  await Promise.all(done);
  expect((await Promise.all(replies)).every((r) => r.ok)).toBe(true);
  expect(most).toBe(1);

  // The window is small again: the next large message waits as well, and a small one needs no room.
  const before = down();
  const holdAgain = await slots.acquire(new AbortController().signal);
  const [first, second] = aggregator.sessions();
  const next = first!.request({ kind: "fit", parameters: [large], config: {} });
  const small = second!.request({ kind: "getProperties", config: {} });
  const properties = encodeClientMessage("flwr", {
    kind: "properties",
    status: { code: 0, message: "" },
    properties: {},
  });
  const other = connections[devices.indexOf(second!.device)]!;
  expect((await other.receive())?.slot).toBeUndefined();
  await other.send(properties);
  expect((await small).ok).toBe(true);
  await until(() => announced.length === devices.length + 1);
  await steady(down);
  expect(down() - before).toBeLessThan(600 * 1024);
  holdAgain();
  const mine = connections[devices.indexOf(first!.device)]!;
  (await mine.receive())?.slot?.();
  await mine.send(answer);
  expect((await next).ok).toBe(true);
});

test("a connection that ends while it waits for room, or in the middle, gives everything back", async () => {
  const { aggregator, port } = await openServer();
  const slots = createSlots(1);
  const hold = await slots.acquire(new AbortController().signal);
  let asked = 0;
  const connection = joinAs(port, aggregator.issueTicket("virtual-1"), (_bytes, signal) => {
    asked += 1;
    return slots.acquire(signal);
  });
  await until(() => aggregator.sessions().length === 1);
  const reply = aggregator.sessions()[0]!.request({ kind: "fit", parameters: [large], config: {} });
  await until(() => asked === 1);
  expect(slots.waiting).toBe(1);
  connection.cut();
  expect(await connection.receive()).toBeUndefined();
  expect((await reply).ok).toBe(false);
  await until(() => slots.waiting === 0);
  hold();
  expect(slots.free).toBe(1);
});

test("a server that is not there, and one that refuses, end the connection with the reason", async () => {
  const { aggregator, port } = await openServer();
  const refused = joinAs(port, "no such ticket", async () => () => {});
  expect(await refused.receive()).toBeUndefined();
  expect(String(refused.closed.reason)).toMatch(/gRPC status|stream|closed/);
  await aggregator.close({ deadlineMs: 100 });
  const nobody = joinAs(1, "t", async () => () => {});
  expect(await nobody.receive()).toBeUndefined();
  expect(String(nobody.closed.reason)).toMatch(/ECONNREFUSED/);
  await expect(nobody.send([new Uint8Array(1)])).rejects.toThrow(/ECONNREFUSED/);
});
