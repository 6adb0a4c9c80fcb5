import { connect } from "node:http2";
import { Duplex, duplexPair } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { answerAlways, joinRaw, until } from "./raw-client.ts";

afterEach(() => void vi.useRealTimers());

const TIMERS = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
const tick = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};
const passTime = async (seconds: number): Promise<void> => {
  for (let passed = 0; passed < seconds; passed += 5) {
    vi.advanceTimersByTime(5000);
    await tick();
  }
};
const big = (bytes: number) => {
  const tensor = { dtype: "float32", shape: [bytes / 4], bytes: new Uint8Array(bytes) } as const;
  return { kind: "fit", parameters: [tensor], config: {} } as const;
};

const start = () => {
  const events: LabEventBody[] = [];
  const aggregator = createAggregator({
    emit: (e) => void events.push(e),
    admission: { kind: "allow", addresses: [] },
  });
  return { aggregator, events };
};

/** A line whose way up carries nothing until it is let through, a portion at a time. */
const slowLine = () => {
  const [ours, near] = duplexPair();
  const [far, theirs] = duplexPair();
  const held: Buffer[] = [];
  let free = true;
  near.on("data", (chunk: Buffer) => far.write(chunk));
  far.on("data", (chunk: Buffer) => {
    if (free) near.write(chunk);
    else held.push(chunk);
  });
  return {
    ours,
    theirs,
    hold: () => {
      free = false;
    },
    /** @returns how much was waiting */
    letThrough: (bytes: number): number => {
      const all = Buffer.concat(held.splice(0));
      near.write(all.subarray(0, bytes));
      held.push(all.subarray(bytes));
      return all.length;
    },
  };
};

test("a slow upload on a channel lives past a ping whose answer waits behind it; one that stopped does not", async () => {
  vi.useFakeTimers({ toFake: [...TIMERS] });
  const { aggregator, events } = start();
  const line = slowLine();
  aggregator.accept(line.ours, "pi-1");
  const client = joinRaw(0, { session: connect("http://device", { createConnection: () => line.theirs }) });
  for (let i = 0; i < 200 && aggregator.sessions().length < 1; i++) await tick();
  const [session] = aggregator.sessions();
  const answer = session!.request(big(2_000_000));
  await client.next();
  line.hold();
  client.sendBytes(Buffer.from([0, 0, 0x20, 0, 0, ...new Uint8Array(40_000)])); // the start of a message of 2 MiB
  await tick();
  // A little every five seconds: the ping of 210 s waits for its answer until 230 s, behind what is held.
  for (let seconds = 0; seconds < 240; seconds += 5) {
    await passTime(5);
    expect(line.letThrough(100)).toBeGreaterThan(100);
  }
  await tick();
  expect(aggregator.sessions()).toHaveLength(1);
  // Nothing at all any more: the ping of 420 s is the last one.
  await passTime(210);
  vi.useRealTimers();
  await until("it is given up", () => aggregator.sessions().length === 0);
  const result = await answer;
  expect(result).toMatchObject({
    ok: false,
    failure: { code: "connection-lost", stage: "upload", device: "pi-1" },
  });
  expect(events.at(-1)).toMatchObject({ kind: "device-left", device: "pi-1" });
  await aggregator.close({ deadlineMs: 0 });
});

test("what is cut fails at once, also where the channel never finishes a write, ends or closes", async () => {
  const { aggregator } = start();
  const [ours, theirs] = duplexPair();
  let stuck = false;
  /** As ssh2's when its connection dies under it: writes are swallowed, `destroy` says nothing. */
  const channel = new (class extends Duplex {
    override _read(): void {}
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      if (!stuck) ours.write(chunk, () => done());
    }
    override destroy(): this {
      return this;
    }
  })({ emitClose: false });
  ours.on("data", (chunk: Buffer) => channel.push(chunk));
  const cut = aggregator.accept(channel, "pi-1");
  const client = joinRaw(0, { session: connect("http://device", { createConnection: () => theirs }) });
  await until("it is in", () => aggregator.sessions().length === 1);
  const [session] = aggregator.sessions();
  stuck = true;
  const answer = session!.request(big(4_000_000));
  await tick();
  const cutAt = performance.now();
  cut();
  expect(await answer).toMatchObject({ ok: false, failure: { code: "connection-lost", device: "pi-1" } });
  expect(performance.now() - cutAt).toBeLessThan(200);
  expect(aggregator.sessions()).toHaveLength(0);
  client.close();
  const closing = performance.now();
  await aggregator.close();
  expect(performance.now() - closing).toBeLessThan(1000);
});

test("where others can open the channel, only who knows its token is the device", async () => {
  const { aggregator, events } = start();
  const open = (headers?: Record<string, string>) => {
    const [ours, theirs] = duplexPair();
    aggregator.accept(ours, "pi-1", { token: "s3cret" });
    const session = connect("http://device", { createConnection: () => theirs });
    return joinRaw(0, { session, ...(headers === undefined ? {} : { headers }) });
  };
  const stranger = open();
  void answerAlways(stranger);
  expect((await stranger.ended).status).toBe(7);
  const liar = open({ "fedfleet-token": "guess" });
  expect((await liar.ended).status).toBe(7);
  expect(aggregator.sessions()).toHaveLength(0);
  expect(events.map((e) => e.kind)).not.toContain("device-joined");
  const client = open({ "fedfleet-token": "s3cret" });
  await until("it is in", () => aggregator.sessions().length === 1);
  expect(aggregator.sessions()[0]).toMatchObject({ device: "pi-1", crew: "board" });
  client.close();
  stranger.close();
  liar.close();
  await aggregator.close({ deadlineMs: 0 });
});
