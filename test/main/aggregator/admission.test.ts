import { afterEach, describe, expect, test, vi } from "vitest";
import { UserError } from "#contract/failure.ts";
import { createAdmission, sameSecret } from "#main/aggregator/admission.ts";
import { createRefusalLimit } from "#main/aggregator/refusal-limit.ts";
import { joinRaw, until } from "./raw-client.ts";
import { startServer } from "./server.ts";

const ok = { code: 0, message: "" };
const refusal = (code: string) => [
  {
    kind: "device-refused",
    address: expect.any(String),
    failure: expect.objectContaining({ code, stage: "join" }),
  },
];

describe("a join token", () => {
  const admission = { kind: "token", token: "open sesame" } as const;
  afterEach(() => void vi.useRealTimers());

  test.each(["transport", "flwr"] as const)(
    "%s: a client without metadata is asked, and let in",
    async (dialect) => {
      const server = await startServer({ admission });
      const client = joinRaw(server.port, { dialect });
      expect(await client.next()).toEqual({ kind: "getProperties", config: { want: "join_token" } });
      expect(server.aggregator.sessions()).toEqual([]);
      const properties = { join_token: { kind: "string", value: "open sesame" } } as const;
      client.send({ kind: "properties", status: ok, properties });
      await until("it is in", () => server.aggregator.sessions().length === 1);
      expect(server.aggregator.sessions()[0]).toMatchObject({ device: "external-1", busy: false });
      client.close();
    },
  );

  test("in metadata it needs no question", async () => {
    const server = await startServer({ admission });
    const { session } = await server.join({ headers: { "fedfleet-token": "open sesame" } });
    expect(session.device).toBe("external-1");
  });

  test("wrong in metadata", async () => {
    const server = await startServer({ admission });
    const client = joinRaw(server.port, { headers: { "fedfleet-token": "open" } });
    expect(await client.ended).toMatchObject({ status: 7, message: "the join token is wrong" });
    expect(server.events).toEqual(refusal("bad-token"));
    client.close();
  });

  test.each([
    ["wrong", { join_token: { kind: "string", value: "open sesamf" } }, /is wrong/],
    ["no text", { join_token: { kind: "int", value: 1 } }, /missing/],
    ["absent", {}, /missing/],
  ] as const)("a property that is %s", async (_name, properties, reason) => {
    const server = await startServer({ admission });
    const client = joinRaw(server.port);
    await client.next();
    client.send({ kind: "properties", status: ok, properties });
    const ended = await client.ended;
    expect(ended.status).toBe(7);
    expect(ended.message).toMatch(reason);
    expect(server.events).toEqual(refusal("bad-token"));
    client.close();
  });

  test("a client that does not know properties", async () => {
    const server = await startServer({ admission });
    const client = joinRaw(server.port);
    await client.next();
    client.send({
      kind: "properties",
      status: { code: 1, message: "Client does not implement `get_properties`" },
      properties: {},
    });
    expect(await client.ended).toMatchObject({
      status: 7,
      message: expect.stringContaining("does not implement"),
    });
    client.close();
  });

  test("a client that leaves, breaks the protocol, or sends a megabyte instead", async () => {
    const server = await startServer({ admission });
    const leaver = joinRaw(server.port);
    await leaver.next();
    leaver.close();
    const breaker = joinRaw(server.port);
    await breaker.next();
    breaker.send({ kind: "evaluate", status: ok, loss: 1, examples: 1, metrics: {} });
    expect(await breaker.ended).toMatchObject({ status: 3 });
    const shouter = joinRaw(server.port);
    await shouter.next();
    const properties = { join_token: { kind: "bytes", value: new Uint8Array(1_000_000) } } as const;
    shouter.send({ kind: "properties", status: ok, properties });
    expect(await shouter.ended).toMatchObject({ status: 8 });
    await until("all three were refused", () => server.events.length === 3);
    expect(server.events).toEqual([refusal("bad-token"), refusal("bad-token"), refusal("bad-token")].flat());
    breaker.close();
    shouter.close();
  });

  test("a client that says nothing for ten seconds", async () => {
    const server = await startServer({ admission });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const client = joinRaw(server.port);
    await client.next();
    vi.advanceTimersByTime(9_900);
    expect(server.events).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(await client.ended).toMatchObject({ status: 7, message: expect.stringContaining("within 10 s") });
    expect(server.events).toEqual(refusal("bad-token"));
    vi.useRealTimers();
    client.close();
  });

  test("an empty token is no token", () => {
    expect(() => createAdmission({ kind: "token", token: "" })).toThrow(UserError);
  });
});

describe("an allow list", () => {
  test("by the peer's address", async () => {
    const server = await startServer({ admission: { kind: "allow", addresses: ["127.0.0.0/8"] } });
    expect((await server.join()).session.device).toBe("external-1");
    const closed = await startServer({ admission: { kind: "allow", addresses: ["10.0.0.1"] } });
    const client = joinRaw(closed.port);
    expect(await client.ended).toMatchObject({
      status: 7,
      message: "the address 127.0.0.1 is not on the allow list",
    });
    expect(closed.events).toEqual(refusal("not-allowed"));
    client.close();
  });

  test("addresses and networks of both families", () => {
    const judge = createAdmission({ kind: "allow", addresses: ["10.1.0.0/16", "192.168.1.7", "fd00::/8"] });
    const welcome = (ip: string | undefined) => judge(ip, undefined).kind === "welcome";
    expect(["10.1.2.3", "192.168.1.7", "fd12::1"].map(welcome)).toEqual([true, true, true]);
    expect(["10.2.0.1", "192.168.1.8", "fe80::1", "nonsense", undefined].map(welcome)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each(["host.example", "10.0.0.1/33", "10.0.0.0/8/9", "", "10.0.0.0/-1"])(
    "%j is refused at once",
    (entry) => {
      expect(() => createAdmission({ kind: "allow", addresses: [entry] })).toThrow(UserError);
    },
  );
});

test("secrets are equal or they are not", () => {
  expect(sameSecret("abc", "abc")).toBe(true);
  expect(sameSecret("abc", "abd")).toBe(false);
  expect(sameSecret("abc", "abcd")).toBe(false);
});

test("of one address ten refusals a minute are told, of others too", () => {
  let now = 0;
  const mayTell = createRefusalLimit(() => now);
  const told = (ip: string | undefined, times: number) =>
    Array.from({ length: times }, () => mayTell(ip)).filter(Boolean).length;
  expect(told("10.0.0.1", 50)).toBe(10);
  expect(told("10.0.0.2", 3)).toBe(3);
  expect(told(undefined, 50)).toBe(10);
  now = 60_000;
  expect(told("10.0.0.1", 50)).toBe(10);
  // However many addresses there are, memory is bounded.
  for (let i = 0; i < 5000; i++) mayTell(`10.1.${i >> 8}.${i & 255}`);
  expect(mayTell("10.0.0.9")).toBe(true);
});
