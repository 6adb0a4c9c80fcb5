import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { LabEventBody } from "#contract/events.ts";
import { createAggregator } from "#main/aggregator/aggregator.ts";
import { createFrameDecoder, frameMessage } from "#main/wire/framing.ts";
import {
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
} from "#main/wire/messages.ts";
import { decodeNpy } from "#main/wire/npy.ts";
import { type ConfigOut, type Dialect, TICKET_HEADER, WireError } from "#main/wire/protocol.ts";
import { answerAlways, joinRaw, until } from "#test/main/aggregator/raw-client.ts";
import { bytesInUse } from "./in-use.ts";
import { createMutator } from "./mutate.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/npy.json", import.meta.url), "utf8")) as {
  accepted: { npy: string }[];
  refused: { npy: string }[];
};
const npyFiles = [...golden.accepted, ...golden.refused].map(
  (g) => new Uint8Array(Buffer.from(g.npy, "base64")),
);

const join = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));
const DIALECTS: readonly Dialect[] = ["transport", "flwr"];
const config: ConfigOut = {
  lr: { kind: "double", value: 0.1 },
  epochs: { kind: "int", value: -3 },
  big: { kind: "int", value: 2n ** 62n },
  pin_memory: { kind: "bool", value: true },
  optimizer: { kind: "string", value: "sgd" },
  raw: { kind: "bytes", value: Uint8Array.of(1, 2, 3) },
};
const parameters = [
  { dtype: "float32", shape: [2, 2], bytes: new Uint8Array(16) },
  { dtype: "int64", shape: [], bytes: new Uint8Array(8) },
  { dtype: "bool", shape: [0, 3], bytes: new Uint8Array(0) },
] as const;
const status = { code: 0, message: "Success" };

const clientSamples = DIALECTS.flatMap((dialect) =>
  [
    encodeClientMessage(dialect, { kind: "disconnect", reason: 1 }),
    encodeClientMessage(dialect, { kind: "properties", status, properties: config }),
    encodeClientMessage(dialect, { kind: "parameters", status, parameters }),
    encodeClientMessage(dialect, { kind: "fit", status, parameters, examples: 300, metrics: config }),
    encodeClientMessage(dialect, { kind: "evaluate", status, loss: 0.5, examples: 300, metrics: config }),
  ].map(join),
);
const serverSamples = DIALECTS.flatMap((dialect) =>
  [
    encodeServerMessage(dialect, { kind: "reconnect", seconds: 5 }),
    encodeServerMessage(dialect, { kind: "getProperties", config }),
    encodeServerMessage(dialect, { kind: "getParameters", config }),
    encodeServerMessage(dialect, { kind: "fit", parameters, config }),
    encodeServerMessage(dialect, { kind: "evaluate", parameters, config }),
  ].map(join),
);

test("95,000 mutated messages and npy arrays: each is read or refused with a WireError, and none stays in memory", () => {
  const mutator = createMutator(20_240_601);
  const counts = { read: 0, refused: 0 };
  const attempt = (action: () => unknown): void => {
    try {
      action();
      counts.read++;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      counts.refused++;
    }
  };
  const round = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const dialect = DIALECTS[mutator.below(2)]!;
      switch (i % 4) {
        case 0: {
          const bytes = mutator.mutate(npyFiles);
          attempt(() => {
            const { dtype, shape, bytes: elements } = decodeNpy(bytes);
            // What is accepted keeps its word.
            const count = shape.reduce((n, d) => n * d, 1);
            const size = Number(/\d+$/.exec(dtype)?.[0] ?? 8) / 8;
            if (elements.length !== count * size)
              throw new Error(`${dtype} ${shape}: ${elements.length} bytes`);
          });
          break;
        }
        case 1: {
          const bytes = mutator.mutate(serverSamples);
          attempt(() => decodeServerMessage(dialect, bytes));
          break;
        }
        case 2: {
          const bytes = mutator.mutate([...clientSamples, ...npyFiles.slice(0, 3)]);
          attempt(() => decodeClientMessage(dialect, bytes));
          break;
        }
        default: {
          const bytes = mutator.mutate(clientSamples.map((m) => join(frameMessage([m]))));
          attempt(() => {
            for (const m of createFrameDecoder({ maxBytes: 1 << 20 }).push(bytes))
              decodeClientMessage(dialect, m);
          });
        }
      }
    }
  };
  round(5000);
  const before = bytesInUse();
  round(90_000);
  expect(bytesInUse() - before).toBeLessThan(2 << 20);
  // Were all refused, or all read, the mutations would show nothing.
  expect(counts.refused).toBeGreaterThan(20_000);
  expect(counts.read).toBeGreaterThan(5_000);
});

test("5,000 mutated messages through a live server, while another client's requests go on", async () => {
  const events: LabEventBody[] = [];
  const aggregator = createAggregator({ emit: (e) => void events.push(e), admission: { kind: "open" } });
  const { port } = await aggregator.listen({ host: "127.0.0.1", port: 0 });
  const good = joinRaw(port, { headers: { [TICKET_HEADER]: aggregator.issueTicket("good") } });
  const goodEnd = answerAlways(good);
  await until("the good client joined", () => aggregator.sessions().length === 1);
  const session = aggregator.sessions()[0]!;

  let stop = false;
  let served = 0;
  const service = (async () => {
    while (!stop) {
      const kind = served % 2 === 0 ? "fit" : "evaluate";
      const result = await session.request({ kind, parameters, config });
      if (!result.ok) throw new Error(`the good client was harmed: ${result.failure.cause}`);
      if (result.value.message.kind !== kind) throw new Error("the good client's answers got mixed up");
      result.value.release();
      served++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();

  const outcomes = { answered: 0, failed: 0 };
  // Every client is asked at once when it joins, so that what it sends is taken for an answer.
  aggregator.onChange(() => {
    for (const s of aggregator.sessions()) {
      if (s.crew !== "external" || s.busy) continue;
      void s.request({ kind: "fit", parameters, config }).then((result) => {
        if (result.ok) {
          outcomes.answered++;
          result.value.release();
        } else outcomes.failed++;
      });
    }
  });

  const framed = clientSamples.map((m) => join(frameMessage([m])));
  const attack = async (seed: number, count: number): Promise<void> => {
    const mutator = createMutator(seed);
    for (let i = 0; i < count; i++) {
      const dialect = DIALECTS[mutator.below(2)]!;
      const bytes =
        mutator.below(2) === 0 ? mutator.mutate(framed) : join(frameMessage([mutator.mutate(clientSamples)]));
      if (i % 25 === 0) {
        // And now and then no HTTP/2 at all.
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => {});
        const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        const start = preface.subarray(0, mutator.below(preface.length + 1));
        await new Promise((resolve) => socket.write(Buffer.concat([start, bytes]), resolve));
        socket.destroy();
        continue;
      }
      const client = joinRaw(port, { dialect });
      client.call.once("data", () => {
        client.sendBytes(bytes);
        if (mutator.below(3) > 0) client.call.end();
        else client.call.close();
      });
      await client.ended;
      client.close();
    }
  };
  const round = (seed: number, count: number): Promise<unknown> =>
    Promise.all([0, 1, 2, 3].map((n) => attack(seed + n, count / 4)));
  const settled = (): Promise<void> =>
    until("the bad ones are gone", () => aggregator.sessions().length === 1, 20_000);

  await round(100, 1000);
  await settled();
  const before = bytesInUse();
  await round(200, 4000);
  await settled();
  // Connections leave the kernel and their timers a moment later.
  await until("their memory is free again", () => bytesInUse() - before < 4 << 20);

  stop = true;
  await service;
  expect(served).toBeGreaterThan(100);
  expect(outcomes.failed).toBeGreaterThan(1000);
  expect(events.filter((e) => e.kind === "device-left" && e.device === "good")).toEqual([]);
  await aggregator.close();
  await goodEnd;
}, 240_000);
