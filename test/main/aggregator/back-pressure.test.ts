import { afterEach, expect, test, vi } from "vitest";
import type { Reply } from "#main/aggregator/aggregator.ts";
import { frameMessage } from "#main/wire/framing.ts";
import { encodeClientMessage } from "#main/wire/messages.ts";
import { bytesInUse } from "#test/main/wire/in-use.ts";
import { steady, until } from "./raw-client.ts";
import { startServer } from "./server.ts";

const ELEMENTS = 5_000_000;
const update = Buffer.concat(
  frameMessage(
    encodeClientMessage("flwr", {
      kind: "fit",
      status: { code: 0, message: "" },
      parameters: [{ dtype: "float32", shape: [ELEMENTS], bytes: new Uint8Array(4 * ELEMENTS).fill(1) }],
      examples: 1,
      metrics: {},
    }),
  ),
);

afterEach(() => {
  vi.useRealTimers();
});

test("twelve uploads of 20 MB with two slots: two are in memory, the others wait at their senders", async () => {
  // On a busy computer these peers would count as slow, and slots of slow peers are lent: not what this test is about.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const server = await startServer({ uploadSlots: 2 });
  const peers: Awaited<ReturnType<typeof server.join>>[] = [];
  for (let i = 0; i < 12; i++) peers.push(await server.join());
  const before = bytesInUse();
  const announced: string[] = [];
  const replies: Reply[] = [];
  const finished: string[] = [];
  const answers = peers.map(async ({ client, session }) => {
    const answer = session.request(
      { kind: "fit", parameters: [], config: {} },
      {
        onUpload: (bytes) => {
          expect(bytes).toBe(update.length - 5);
          announced.push(session.device);
        },
      },
    );
    await client.next();
    client.sendBytes(update);
    const result = await answer;
    if (!result.ok) throw new Error(result.failure.cause);
    finished.push(session.device);
    replies.push(result.value);
  });
  await until("all have begun, two are whole", () => announced.length === 12 && replies.length === 2);
  const written = () =>
    peers.reduce((sum, { client }) => sum + (client.session.socket?.bytesWritten ?? 0), 0);
  await steady("the senders write no more", written);
  expect(replies).toHaveLength(2);
  // Two whole updates, and of each of the others a window of 64 KiB, which the sender's own buffers hold too.
  expect(bytesInUse() - before).toBeLessThan(2 * update.length + 10 * 4 * 65_536);

  const order = [...announced];
  while (finished.length < 12) {
    const count = finished.length;
    replies.shift()!.release();
    await until("a place came free and was filled", () => finished.length === count + 1);
    await steady("the senders write no more", written, 3);
    expect(finished.length).toBe(count + 1);
  }
  await Promise.all(answers);
  // First come, first served; the first two may overtake each other.
  expect(finished.slice(2)).toEqual(order.slice(2));
  for (const reply of replies) reply.release();
}, 240_000);

test("small answers need no slot", async () => {
  const server = await startServer({ uploadSlots: 1 });
  const big = await server.join();
  const small = await server.join();
  const held = big.session.request({ kind: "fit", parameters: [], config: {} });
  await big.client.next();
  big.client.sendBytes(update);
  const reply = await held;
  const answer = small.session.request({ kind: "evaluate", parameters: [], config: {} });
  await small.client.next();
  small.client.send({
    kind: "evaluate",
    status: { code: 0, message: "" },
    loss: 1,
    examples: 1,
    metrics: {},
  });
  expect((await answer).ok).toBe(true);
  if (reply.ok) reply.value.release();
});

test("a peer that announces half a gigabyte and sends nothing costs nothing and is noticed by no one", async () => {
  const server = await startServer({ uploadSlots: 2 });
  const before = bytesInUse();
  const boasters = [];
  for (let i = 0; i < 20; i++) boasters.push(await server.join());
  let announced = 0;
  const failures = boasters.map(async ({ client, session }) => {
    const answer = session.request(
      { kind: "fit", parameters: [], config: {} },
      { onUpload: () => announced++ },
    );
    await client.next();
    client.sendBytes(Uint8Array.of(0, 0x20, 0, 0, 0));
    return answer;
  });
  await until("all have announced", () => announced === boasters.length);
  expect(bytesInUse() - before).toBeLessThan(4 << 20);
  for (const { client } of boasters) client.close();
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ ok: false, failure: { code: "connection-lost" } });
  }
});
