import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameDecoder, frameMessage } from "#main/wire/framing.ts";

const join = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

test("messages come out whole, however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
      (messages, cuts) => {
        const stream = join(messages.flatMap((m) => frameMessage([m.subarray(0, 3), m.subarray(3)])));
        const decoder = createFrameDecoder({ maxBytes: 300 });
        const out: Uint8Array[] = [];
        for (let at = 0; at < stream.length; ) {
          const cut = cuts.next().value;
          out.push(...decoder.push(stream.subarray(at, at + cut)));
          at += cut;
        }
        expect(out).toEqual(messages);
        expect(decoder.incomplete).toBe(false);
      },
    ),
  );
});

test("a message over a MiB is one contiguous buffer of its own length", () => {
  const body = Uint8Array.from({ length: 3_000_001 }, (_, i) => i & 255);
  const stream = join(frameMessage([body]));
  const decoder = createFrameDecoder({ maxBytes: 4_000_000 });
  const out: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += 16_384) {
    out.push(...decoder.push(stream.subarray(at, at + 16_384)));
    if (out.length === 0) {
      expect(decoder.announced).toBe(body.length);
      expect(decoder.received).toBe(Math.min(at + 16_384, stream.length) - 5);
    }
  }
  expect(out).toHaveLength(1);
  expect(Buffer.compare(out[0]!, body)).toBe(0);
  expect(out[0]!.byteLength).toBe(out[0]!.buffer.byteLength);
  expect(decoder.announced).toBeUndefined();
});

test("the announced length is known with the prefix, and nothing is allocated for it", () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 100 }, () => {
    const decoder = createFrameDecoder({ maxBytes: 536_870_912 });
    decoder.push(Uint8Array.of(0, 0x20, 0, 0, 0));
    expect(decoder.announced).toBe(536_870_912);
    decoder.push(new Uint8Array(1000));
    return decoder;
  });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 << 20);
  for (const decoder of decoders) expect(decoder.incomplete).toBe(true);
});

describe("refused", () => {
  const push = (...bytes: number[]) => createFrameDecoder({ maxBytes: 100 }).push(Uint8Array.from(bytes));
  test("a compressed message", () => {
    expect(() => push(1, 0, 0, 0, 0)).toThrow(
      expect.objectContaining({ code: "protocol-broken", message: expect.stringContaining("compressed") }),
    );
  });
  test("a flag that does not exist", () => {
    expect(() => push(80, 82, 73, 32, 42)).toThrow(expect.objectContaining({ code: "protocol-broken" }));
  });
  test("one byte too many, before any of them is here", () => {
    expect(push(0, 0, 0, 0, 100)).toEqual([]);
    expect(() => push(0, 0, 0, 0, 101)).toThrow(expect.objectContaining({ code: "message-too-large" }));
  });
});
