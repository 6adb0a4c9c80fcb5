import { connect } from "node:http2";
import { createServer } from "node:net";
import { duplexPair } from "node:stream";
import { describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { TICKET_HEADER } from "#main/wire/protocol.ts";
import { answerAlways, joinRaw, until } from "./raw-client.ts";
import { leftReasons, startServer } from "./server.ts";

const ask = { kind: "evaluate", parameters: [], config: {} } as const;
const evaluated = {
  kind: "evaluate",
  status: { code: 0, message: "" },
  loss: 1,
  examples: 1,
  metrics: {},
} as const;

describe("leaving", () => {
  test("Reconnect goes first, then the call ends with OK", async () => {
    const server = await startServer();
    const { client } = await server.join();
    const gone = server.aggregator.disconnect("external-1", 5);
    expect(server.aggregator.sessions()).toEqual([]);
    expect(await client.next()).toEqual({ kind: "reconnect", seconds: 5 });
    client.send({ kind: "disconnect", reason: 1 });
    await gone;
    expect(await client.ended).toMatchObject({ status: 0 });
    expect(leftReasons(server)).toEqual(["external-1: sent away"]);
  });

  test.each([
    ["cancels", (c: ReturnType<typeof joinRaw>) => c.call.close(8)],
    ["ends the stream", (c: ReturnType<typeof joinRaw>) => c.call.end()],
    ["cuts the connection", (c: ReturnType<typeof joinRaw>) => c.close()],
  ])("a client that %s after Reconnect has left as it should", async (_name, leave) => {
    const server = await startServer();
    const { client } = await server.join();
    const started = performance.now();
    const gone = server.aggregator.disconnect("external-1");
    await client.next();
    leave(client);
    await gone;
    expect(performance.now() - started).toBeLessThan(2000);
    expect(leftReasons(server)).toEqual(["external-1: left when it was sent away"]);
  });

  test("close waits for an answer that is outstanding, and then says goodbye", async () => {
    const server = await startServer();
    const { client, session } = await server.join();
    const answer = session.request(ask);
    await client.next();
    const closed = server.aggregator.close({ reconnectSeconds: 7 });
    await until("it is leaving", () => server.aggregator.sessions().length === 0);
    expect(session.busy).toBe(true);
    client.send(evaluated);
    expect((await answer).ok).toBe(true);
    expect(await client.next()).toEqual({ kind: "reconnect", seconds: 7 });
    client.call.end();
    await closed;
  });

  test("close has a deadline: who does not answer is cut off, and no port stays open", async () => {
    const server = await startServer();
    const { client, session } = await server.join();
    const silent = await server.join();
    const answer = session.request(ask);
    await client.next();
    const started = performance.now();
    await server.aggregator.close({ deadlineMs: 300 });
    expect(performance.now() - started).toBeLessThan(2500);
    expect(await answer).toMatchObject({ ok: false, failure: { code: "connection-lost" } });
    await silent.client.ended;
    const refused = joinRaw(server.port);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.session.on("error", resolve));
    expect(error.code).toBe("ECONNREFUSED");
  });

  test("the lowest free number is given again", async () => {
    const server = await startServer();
    const first = await server.join();
    await server.join();
    await server.join();
    first.client.close();
    await until("the first is gone", () => server.aggregator.sessions().length === 2);
    expect((await server.join()).session.device).toBe("external-1");
  });

  test("no listener stays behind", async () => {
    const server = await startServer();
    const off = server.aggregator.onChange(() => {});
    off();
    const warnings: string[] = [];
    const onWarning = (w: Error): void => void warnings.push(w.name);
    process.on("warning", onWarning);
    const { client, session } = await server.join();
    void answerAlways(client);
    for (let i = 0; i < 200; i++) {
      const result = await session.request(ask);
      if (result.ok) result.value.release();
    }
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

describe("tickets", () => {
  const withTicket = (ticket: string) => ({ headers: { [TICKET_HEADER]: ticket } });

  test("a ticket is the device, past admission, as often as it joins", async () => {
    const server = await startServer({ admission: { kind: "token", token: "secret" } });
    const ticket = server.aggregator.issueTicket("jetson-1");
    const first = await server.join(withTicket(ticket));
    expect(first.session).toMatchObject({ device: "jetson-1", crew: "virtual" });
    first.client.close();
    await until("it is gone", () => server.aggregator.sessions().length === 0);
    const second = await server.join(withTicket(ticket));
    expect(second.session.device).toBe("jetson-1");
    expect(server.events.map((e) => e.kind)).toEqual(["device-joined", "device-left", "device-joined"]);
  });

  test("a second connection takes the place of the first, whose request fails", async () => {
    const server = await startServer();
    const ticket = server.aggregator.issueTicket("pi-1");
    const first = await server.join(withTicket(ticket));
    const answer = first.session.request(ask);
    await first.client.next();
    const second = await server.join(withTicket(ticket));
    expect(await answer).toMatchObject({ ok: false, failure: { code: "connection-lost", device: "pi-1" } });
    expect(await first.client.ended).toMatchObject({ status: 1 });
    expect(server.aggregator.sessions()).toEqual([second.session]);
    expect(leftReasons(server)).toEqual(["pi-1: the device joined again on another connection"]);
    void answerAlways(second.client);
    expect((await second.session.request(ask)).ok).toBe(true);
  });

  test("an unknown, a revoked and a replaced ticket are refused", async () => {
    const server = await startServer();
    const old = server.aggregator.issueTicket("pi-1");
    const current = server.aggregator.issueTicket("pi-1");
    const revoked = server.aggregator.issueTicket("pi-2");
    server.aggregator.revokeTicket("pi-2");
    for (const ticket of ["nonsense", old, revoked]) {
      const client = joinRaw(server.port, withTicket(ticket));
      expect(await client.ended).toMatchObject({ status: 7 });
      client.close();
    }
    expect(server.events).toEqual(
      [1, 2, 3].map(() => ({
        kind: "device-refused",
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        failure: expect.objectContaining({ code: "bad-token", stage: "join" }),
      })),
    );
    expect((await server.join(withTicket(current))).session.device).toBe("pi-1");
  });
});

test("an injected channel is a device, without any port", async () => {
  const events: string[] = [];
  const aggregator = createAggregator({
    emit: (e) => void events.push(e.kind),
    admission: { kind: "token", token: "t" },
  });
  const [ours, theirs] = duplexPair();
  aggregator.accept(ours, "jetson-7");
  const session = connect("http://device", { createConnection: () => theirs });
  const client = joinRaw(0, { session });
  await until("it is in", () => aggregator.sessions().length === 1);
  expect(aggregator.sessions()[0]).toMatchObject({
    device: "jetson-7",
    crew: "board",
    address: "jetson-7",
  });
  void answerAlways(client);
  const big = { dtype: "float32", shape: [1_000_000], bytes: new Uint8Array(4_000_000) } as const;
  const result = await aggregator.sessions()[0]!.request({ kind: "fit", parameters: [big], config: {} });
  expect(result.ok).toBe(true);
  if (result.ok) result.value.release();
  theirs.destroy();
  await until("it is out", () => events.at(-1) === "device-left");
  await aggregator.close();
});

describe("listening", () => {
  test("on two ports at once", async () => {
    const server = await startServer();
    const second = await server.aggregator.listen({ host: "127.0.0.1", port: 0 });
    expect(second.port).not.toBe(server.port);
    await server.join();
    const client = joinRaw(second.port);
    await until("both are in", () => server.aggregator.sessions().length === 2);
    client.close();
  });

  test("a port that is taken is said so", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const server = await startServer();
    const failure = server.aggregator.listen({ host: "127.0.0.1", port });
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program is listening there`,
    );
    taken.close();
  });

  test("a certificate that is none is said so", async () => {
    const server = await startServer();
    const failure = server.aggregator.listen({ host: "127.0.0.1", port: 0, tls: { cert: "x", key: "y" } });
    await expect(failure).rejects.toThrow(UserError);
    await expect(failure).rejects.toThrow(/^TLS: /);
  });
});
