import { describe, expect, test } from "vitest";
import { frameMessage } from "#main/wire/framing.ts";
import { encodeClientMessage } from "#main/wire/messages.ts";
import { prepareParameters } from "#main/wire/parameters.ts";
import { answerAlways, joinRaw, until } from "./raw-client.ts";
import { leftReasons, startServer } from "./server.ts";

const ok = { code: 0, message: "" };
const bytesOf = (message: Parameters<typeof encodeClientMessage>[1]): Buffer =>
  Buffer.concat(frameMessage(encodeClientMessage("flwr", message)));
const evaluated = { kind: "evaluate", status: ok, loss: 1, examples: 1, metrics: {} } as const;
const ask = { kind: "evaluate", parameters: [], config: {} } as const;
const tensor = (elements: number, fill = 1) => ({
  dtype: "float32" as const,
  shape: [elements],
  bytes: new Uint8Array(4 * elements).fill(fill),
});

describe("the good case", () => {
  test.each(["transport", "flwr"] as const)(
    "%s: the server speaks first, one message answers one",
    async (dialect) => {
      const { aggregator, events, join } = await startServer();
      const { client, session } = await join({ dialect });
      expect(session).toMatchObject({ device: "external-1", crew: "external", dialect, busy: false });
      expect(session.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(events).toEqual([
        { kind: "device-joined", device: "external-1", crew: "external", dialect, address: session.address },
      ]);
      let changes = 0;
      aggregator.onChange(() => changes++);
      const sent: number[] = [];
      const uploads: number[] = [];
      const answer = session.request(
        { kind: "fit", parameters: [tensor(1000)], config: { epochs: { kind: "int", value: 2 } } },
        { onSent: (n) => sent.push(n), onUpload: (n) => uploads.push(n) },
      );
      expect(session.busy).toBe(true);
      const message = await client.next();
      expect(message).toMatchObject({ kind: "fit", config: { epochs: 2 }, parameters: [{ shape: [1000] }] });
      client.send({ kind: "fit", status: ok, parameters: [tensor(3)], examples: 7, metrics: {} });
      const result = await answer;
      if (!result.ok || result.value.message.kind !== "fit") throw new Error("no fit");
      expect(result.value.message).toMatchObject({ examples: 7, parameters: [tensor(3)] });
      expect(uploads).toEqual([result.value.bytesUp]);
      expect(sent).toHaveLength(1);
      expect(sent[0]).toBeGreaterThan(4000);
      expect(session.busy).toBe(false);
      expect(changes).toBe(1);
    },
  );

  test("release empties the views, at once and once", async () => {
    const { join } = await startServer();
    const { client, session } = await join();
    const answer = session.request({ kind: "getParameters", config: {} });
    await client.next();
    client.send({ kind: "parameters", status: ok, parameters: [tensor(10)] });
    const result = await answer;
    if (!result.ok || result.value.message.kind !== "parameters") throw new Error("no parameters");
    const [first] = result.value.message.parameters;
    expect(first!.bytes.length).toBe(40);
    result.value.release();
    result.value.release();
    expect(first!.bytes.length).toBe(0);
  });

  test("100 MB up and down, in one message each", async () => {
    const { join } = await startServer();
    const { client, session } = await join();
    void answerAlways(client);
    const big = tensor(25_000_000, 3);
    const result = await session.request({ kind: "fit", parameters: prepareParameters([big]), config: {} });
    if (!result.ok || result.value.message.kind !== "fit") throw new Error("no fit");
    expect(Buffer.compare(result.value.message.parameters[0]!.bytes, big.bytes)).toBe(0);
    result.value.release();
  });

  test("a status other than OK is the client's error, and the client stays", async () => {
    const { join } = await startServer();
    const { client, session } = await join();
    const answer = session.request({ kind: "fit", parameters: [], config: {} });
    await client.next();
    client.send({
      kind: "fit",
      status: { code: 3, message: "no data" },
      parameters: [],
      examples: 0,
      metrics: {},
    });
    expect(await answer).toMatchObject({
      ok: false,
      failure: {
        code: "client-error",
        device: "external-1",
        stage: "fit",
        cause: expect.stringContaining("no data"),
      },
    });
    const again = session.request(ask);
    await client.next();
    client.send(evaluated);
    expect((await again).ok).toBe(true);
  });

  test("metrics pass as they came, NaN and text too", async () => {
    const { join } = await startServer();
    const { client, session } = await join();
    const answer = session.request(ask);
    await client.next();
    client.send({
      ...evaluated,
      metrics: {
        rank10: { kind: "double", value: 0.4 },
        note: { kind: "string", value: "x" },
        nan: { kind: "double", value: Number.NaN },
        done: { kind: "bool", value: true },
      },
    });
    expect(await answer).toMatchObject({
      ok: true,
      value: { message: { metrics: { rank10: 0.4, note: "x", nan: Number.NaN, done: true } } },
    });
  });

  test("too many metrics, and names that are too long, are a named failure; the client stays", async () => {
    const { join, aggregator } = await startServer();
    const { client, session } = await join();
    const named = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, { kind: "double", value: 1 } as const]));
    const many = (count: number) => named(Array.from({ length: count }, (_, i) => `m${i}`));
    const askWith = async (metrics: ReturnType<typeof named>) => {
      const answer = session.request(ask);
      await client.next();
      client.send({ ...evaluated, metrics });
      return await answer;
    };
    expect(await askWith(many(65))).toEqual({
      ok: false,
      failure: {
        code: "bad-metrics",
        stage: "evaluate",
        device: "external-1",
        cause: "it reported 65 metrics with evaluate; at most 64 are accepted",
        next: "Report fewer metrics, with shorter names, from the client's fit and evaluate.",
      },
    });
    expect(await askWith(named(["n".repeat(101)]))).toMatchObject({
      failure: {
        code: "bad-metrics",
        cause: expect.stringMatching(/has 101 characters, "n{40}…"; at most 100/),
      },
    });
    expect((await askWith({ ...many(63), ...named(["n".repeat(100)]) })).ok).toBe(true);
    expect(aggregator.sessions()).toHaveLength(1);
  });

  test("an answer whose sender has stopped waiting is still taken, and the session is busy until then", async () => {
    const { aggregator, join } = await startServer();
    const { client, session } = await join();
    let late = false;
    void session.request(ask).then((r) => {
      late = r.ok;
    });
    await client.next();
    expect(session.busy).toBe(true);
    expect(() => session.request(ask)).toThrow(/external-1 is busy/);
    let idle = false;
    aggregator.onChange(() => {
      idle = !session.busy;
    });
    client.send(evaluated);
    await until("the late answer is in", () => late && idle);
  });

  test("two calls on one connection are two devices", async () => {
    const { aggregator, join } = await startServer();
    const first = await join();
    const second = await join({ session: first.client.session });
    expect(aggregator.sessions().map((s) => s.device)).toEqual(["external-1", "external-2"]);
    void answerAlways(first.client);
    void answerAlways(second.client);
    const big = { kind: "fit", parameters: [tensor(1_000_000)], config: {} } as const;
    const results = await Promise.all([first.session.request(big), second.session.request(big)]);
    expect(results.map((r) => r.ok)).toEqual([true, true]);
    for (const r of results) if (r.ok) r.value.release();
    // A break of one ends that one alone.
    first.client.send(evaluated);
    expect(await first.client.ended).toMatchObject({ status: 3 });
    const again = await second.session.request(big);
    expect(again.ok).toBe(true);
    if (again.ok) again.value.release();
  });
});

describe("a client that breaks the protocol is closed, and no other", () => {
  /** One good client beside the bad one, which must not notice. */
  const withWitness = async (options: Parameters<typeof startServer>[0] = {}) => {
    const server = await startServer(options);
    const witness = await server.join();
    void answerAlways(witness.client);
    const bad = await server.join();
    return {
      ...server,
      ...bad,
      verify: async (status: number, reason: RegExp) => {
        const ended = await bad.client.ended;
        expect(ended.status).toBe(status);
        expect(ended.message).toMatch(reason);
        expect(leftReasons(server)).toEqual([expect.stringMatching(reason)]);
        const result = await witness.session.request(ask);
        expect(result.ok).toBe(true);
        await until(
          "its connection is closed",
          () => bad.client.session.closed || bad.client.session.destroyed,
        );
      },
    };
  };

  test("a message without a request", async () => {
    const { client, session, verify } = await withWitness();
    client.send(evaluated);
    await verify(3, /without a request/);
    expect(await session.request(ask)).toMatchObject({ ok: false, failure: { code: "connection-lost" } });
  });

  test("two answers in one go", async () => {
    const { client, session, verify } = await withWitness();
    const answer = session.request(ask);
    await client.next();
    client.sendBytes(Buffer.concat([bytesOf(evaluated), bytesOf(evaluated)]));
    expect(await answer).toMatchObject({
      ok: false,
      failure: { code: "protocol-broken", device: "external-2" },
    });
    await verify(3, /second message/);
  });

  test("a second answer a moment later", async () => {
    const { client, session, verify } = await withWitness();
    const answer = session.request(ask);
    await client.next();
    client.send(evaluated);
    expect((await answer).ok).toBe(true);
    client.send(evaluated);
    await verify(3, /without a request/);
  });

  test("another kind of answer", async () => {
    const { client, session, verify } = await withWitness();
    const answer = session.request({ kind: "fit", parameters: [], config: {} });
    await client.next();
    client.send(evaluated);
    expect(await answer).toMatchObject({ ok: false, failure: { code: "protocol-broken" } });
    await verify(3, /answered fit with evaluate/);
  });

  test("a compressed message", async () => {
    const { client, session, verify } = await withWitness();
    const answer = session.request(ask);
    await client.next();
    client.sendBytes(Uint8Array.of(1, 0, 0, 0, 1, 0));
    expect(await answer).toMatchObject({ ok: false, failure: { code: "protocol-broken" } });
    await verify(3, /compressed/);
  });

  test("a message over the limit, before any of it is here", async () => {
    const { client, session, verify } = await withWitness({ maxMessageBytes: 1_000_000 });
    const answer = session.request(ask);
    await client.next();
    client.sendBytes(Uint8Array.of(0, 0, 0x0f, 0x42, 0x41));
    expect(await answer).toMatchObject({
      ok: false,
      failure: { code: "message-too-large", stage: "upload" },
    });
    await verify(8, /1000001 bytes/);
  });

  test("a tensor that lies", async () => {
    const { client, session, verify } = await withWitness();
    const answer = session.request({ kind: "getParameters", config: {} });
    await client.next();
    const lie = bytesOf({ kind: "parameters", status: ok, parameters: [tensor(100)] });
    lie.write("(101,)", lie.indexOf("(100,)"), "latin1");
    client.sendBytes(lie);
    expect(await answer).toMatchObject({
      ok: false,
      failure: { code: "bad-tensor", cause: expect.stringMatching(/^tensor 0:/) },
    });
    await verify(3, /404 bytes/);
  });

  test("a message that ends in the middle, with status OK", async () => {
    const { client, session } = await withWitness();
    const answer = session.request({ kind: "fit", parameters: [], config: {} });
    await client.next();
    client.sendBytes(
      bytesOf({ kind: "fit", status: ok, parameters: [tensor(100)], examples: 1, metrics: {} }).subarray(
        0,
        200,
      ),
    );
    client.call.end();
    expect(await answer).toMatchObject({
      ok: false,
      failure: {
        code: "connection-lost",
        stage: "upload",
        cause: expect.stringMatching(/middle of a message, 195 of \d+/),
      },
    });
    const ended = await client.ended;
    expect(ended.status).toBe(0);
  });
});

describe("a client that vanishes", () => {
  test("in the middle of fit: one failure, a named cause, and it is gone from the list", async () => {
    const server = await startServer();
    const { client, session } = await server.join();
    const answer = session.request({ kind: "fit", parameters: [], config: {} });
    await client.next();
    client.session.destroy();
    expect(await answer).toMatchObject({
      ok: false,
      failure: { code: "connection-lost", device: "external-1", stage: "fit", next: expect.any(String) },
    });
    expect(server.aggregator.sessions()).toEqual([]);
    expect(leftReasons(server)).toEqual(["external-1: the connection to the client was lost"]);
  });

  test("in the middle of its upload, with a slot: the slot is free again", async () => {
    const server = await startServer({ uploadSlots: 1 });
    const first = await server.join();
    let begun = false;
    const answer = first.session.request(
      { kind: "fit", parameters: [], config: {} },
      {
        onUpload: () => {
          begun = true;
        },
      },
    );
    await first.client.next();
    first.client.sendBytes(
      bytesOf({
        kind: "fit",
        status: ok,
        parameters: [tensor(1_000_000)],
        examples: 1,
        metrics: {},
      }).subarray(0, 2_000_000),
    );
    await until("its upload has begun", () => begun);
    first.client.session.destroy();
    expect(await answer).toMatchObject({ ok: false, failure: { code: "connection-lost", stage: "upload" } });
    const second = await server.join();
    void answerAlways(second.client);
    const result = await second.session.request({ kind: "fit", parameters: [tensor(1_000_000)], config: {} });
    expect(result.ok).toBe(true);
  });

  test("before the weights are down: the stage is download", async () => {
    const { join } = await startServer();
    const { client, session } = await join();
    client.call.pause();
    const answer = session.request({ kind: "fit", parameters: [tensor(5_000_000)], config: {} });
    await until("the weights are on their way", () => (client.session.socket?.bytesRead ?? 0) > 50_000);
    client.session.destroy();
    expect(await answer).toMatchObject({
      ok: false,
      failure: { code: "connection-lost", stage: "download" },
    });
  });
});

describe("calls that are no Join", () => {
  test("an unknown method is unimplemented", async () => {
    const { port } = await startServer();
    const client = joinRaw(port, { path: "/flwr.proto.Fleet/PullMessages" });
    expect(await client.ended).toMatchObject({ status: 12 });
    client.close();
  });

  test("what is not gRPC gets an HTTP error", async () => {
    const { port } = await startServer();
    const client = joinRaw(port, { headers: { "content-type": "text/html" } });
    const status = new Promise((resolve) => client.call.on("response", (h) => resolve(h[":status"])));
    expect(await status).toBe(415);
    client.close();
  });
});

test("a request that is larger than the limit is not sent", async () => {
  const { join } = await startServer({ maxMessageBytes: 1000 });
  const { session } = await join();
  const result = await session.request({ kind: "fit", parameters: [tensor(1000)], config: {} });
  expect(result).toMatchObject({ ok: false, failure: { code: "message-too-large" } });
  expect(session.busy).toBe(false);
});
