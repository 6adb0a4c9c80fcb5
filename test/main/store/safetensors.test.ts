import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { byteLength, DTYPES, float32Tensor, type NamedTensor } from "#contract/tensor.ts";
import {
  readSafetensors,
  readSafetensorsFile,
  weightsSha256,
  writeSafetensors,
} from "#main/store/safetensors.ts";
import { sampleTensors, temporaryFolder } from "./samples.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());
const file = (name: string) => join(folder.path, name);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Any tensors at all, the bytes at odd offsets of a larger buffer as they come off a wire. */
const anyTensors = fc
  .uniqueArray(fc.string({ unit: "binary", maxLength: 12 }), { maxLength: 6 })
  .map((names) => names.filter((n) => n.isWellFormed() && n !== "__metadata__"))
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .record({
            dtype: fc.constantFrom(...DTYPES),
            shape: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
            seed: fc.nat({ max: 255 }),
            offset: fc.nat({ max: 7 }),
          })
          .map(({ dtype, shape, seed, offset }): NamedTensor => {
            const length = byteLength(dtype, shape);
            const bytes = new Uint8Array(length + offset).subarray(offset);
            for (let i = 0; i < length; i++) bytes[i] = (seed + i * 37) & (dtype === "bool" ? 1 : 255);
            return { name, dtype, shape, bytes };
          }),
      ),
    ),
  );

const plain = (tensors: readonly NamedTensor[]) => tensors.map((t) => ({ ...t, bytes: Array.from(t.bytes) }));

test("whatever is written comes back: names, order, dtypes, shapes, bytes, metadata", async () => {
  const metadata = fc.dictionary(
    fc.string(),
    fc.string({ unit: "binary" }).filter((s) => s.isWellFormed()),
    {
      noNullPrototype: true,
    },
  );
  await fc.assert(
    fc.asyncProperty(anyTensors, metadata, async (tensors, words) => {
      const { sha256: hash, bytes } = await writeSafetensors(file("any"), tensors, words);
      const raw = readFileSync(file("any"));
      expect([hash, bytes]).toEqual([sha256(raw), raw.byteLength]);
      const back = await readSafetensorsFile(file("any"));
      expect(plain(back.tensors)).toEqual(plain(tensors));
      expect(back.metadata).toEqual(words);
      expect(back.sha256).toBe(hash);
    }),
    { numRuns: 60 },
  );
});

test("names that JavaScript would sort keep their order", async () => {
  const tensors = ["10", "2", "weight", "1", "__proto__"].map((name, i) => ({
    name,
    ...float32Tensor([1], Float32Array.of(i)),
  }));
  await writeSafetensors(file("order"), tensors);
  expect((await readSafetensors(file("order"))).map((t) => t.name)).toEqual(tensors.map((t) => t.name));
});

const python = ["/usr/bin/python3", "python3"].find((p) => {
  try {
    execFileSync(p, ["-c", "import numpy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(python === undefined && process.env.CI !== "true")(
  "Python reads the same tensors, 0-dimensional and of every dtype",
  async () => {
    const odd: NamedTensor = { name: "odd", dtype: "uint8", shape: [3], bytes: Uint8Array.of(1, 2, 3) };
    const tensors = DTYPES.flatMap((dtype): NamedTensor[] => [
      { name: `${dtype}.scalar`, dtype, shape: [], bytes: new Uint8Array(byteLength(dtype, [])).fill(1) },
      {
        name: `${dtype}.matrix`,
        dtype,
        shape: [3, 5],
        bytes: new Uint8Array(byteLength(dtype, [3, 5])).fill(1),
      },
      { name: `${dtype}.empty`, dtype, shape: [0, 2], bytes: new Uint8Array(0) },
    ]);
    await writeSafetensors(file("python"), [odd, ...sampleTensors(7), ...tensors], { note: 'ü "quoted"\n' });
    const script = join(import.meta.dirname, "read_safetensors.py");
    const read = JSON.parse(
      execFileSync(python ?? "python3", [script, file("python")], { encoding: "utf8" }),
    ) as {
      metadata: unknown;
      tensors: Record<string, unknown>;
    };
    expect(read.metadata).toEqual({ note: 'ü "quoted"\n' });
    expect(read.tensors).toEqual(
      Object.fromEntries(
        [odd, ...sampleTensors(7), ...tensors].map((t) => [
          t.name,
          { dtype: t.dtype, shape: t.shape, sha256: sha256(t.bytes) },
        ]),
      ),
    );
  },
);

test("two tensors of one name and bytes that do not fit are bugs, and leave no file", async () => {
  const one = { name: "a", ...float32Tensor([1], Float32Array.of(1)) };
  await expect(writeSafetensors(file("twice"), [one, one])).rejects.toThrow("two tensors called a");
  await expect(writeSafetensors(file("twice"), [{ ...one, shape: [2] }])).rejects.toThrow("do not fit");
  expect(existsSync(file("twice"))).toBe(false);
});

describe("a file that lies is refused by name", () => {
  const header = (json: string, data = 0): Uint8Array => {
    const text = Buffer.from(json);
    const out = Buffer.alloc(8 + text.byteLength + data);
    out.writeBigUInt64LE(BigInt(text.byteLength));
    text.copy(out, 8);
    return out;
  };
  const tensor = (fields: Record<string, unknown> = {}) => ({
    dtype: "F32",
    shape: [2],
    data_offsets: [0, 8],
    ...fields,
  });
  const length = (n: bigint, rest = 0) => {
    const out = Buffer.alloc(8 + rest);
    out.writeBigUInt64LE(n);
    return out;
  };
  test.each([
    ["empty", new Uint8Array(0), "it has 0 bytes"],
    ["seven bytes", new Uint8Array(7), "it has 7 bytes"],
    ["header of 2^63 bytes", length(2n ** 63n), "its header claims 9223372036854775808 bytes"],
    ["header of 100 MB and one byte", length(100_000_001n), "its header claims 100000001 bytes"],
    ["header longer than the file", length(50n, 10), "its header claims 50 bytes, the file has 18"],
    ["no JSON", header("{nonsense"), "not a JSON object"],
    ["an array", header("[]"), "not a JSON object"],
    ["spaces before", header(" {}"), "not a JSON object"],
    ["broken UTF-8", Buffer.concat([length(3n), Buffer.from([0x7b, 0xff, 0x7d])]), "not a JSON object"],
    ["entry that is no object", header('{"a":5}'), 'the entry "a" is not an object'],
    ["metadata that is no string", header('{"__metadata__":{"a":5}}'), 'metadata "a" is not a string'],
    [
      "twice the same name",
      header(`{"a":${JSON.stringify(tensor())},"a":${JSON.stringify(tensor())}}`, 8),
      "twice",
    ],
    [
      "twice the same name, escaped",
      header(`{"a":${JSON.stringify(tensor())},"\\u0061":${JSON.stringify(tensor())}}`, 8),
      "twice",
    ],
    ["unknown dtype", header(JSON.stringify({ a: tensor({ dtype: "BF16" }) }), 8), '"BF16"'],
    ["inherited dtype", header(JSON.stringify({ a: tensor({ dtype: "constructor" }) }), 8), '"constructor"'],
    ["unknown field", header(JSON.stringify({ a: tensor({ more: 1 }) }), 8), "unknown field"],
    ["negative shape", header(JSON.stringify({ a: tensor({ shape: [-2] }) }), 8), "no valid shape"],
    ["broken shape", header(JSON.stringify({ a: tensor({ shape: [1.5] }) }), 8), "no valid shape"],
    [
      "shape that overflows",
      header(JSON.stringify({ a: tensor({ shape: [2 ** 40, 2 ** 40] }) }), 8),
      "do not fit",
    ],
    ["no offsets", header(JSON.stringify({ a: tensor({ data_offsets: [0] }) }), 8), "no valid data_offsets"],
    [
      "offsets backwards",
      header(JSON.stringify({ a: tensor({ data_offsets: [8, 0] }) }), 8),
      "outside the file",
    ],
    ["offsets beyond the end", header(JSON.stringify({ a: tensor() }), 7), "outside the file"],
    ["bytes that do not fit", header(JSON.stringify({ a: tensor({ shape: [3] }) }), 8), "do not fit F32 (3)"],
    [
      "overlap",
      header(JSON.stringify({ a: tensor(), b: tensor({ data_offsets: [4, 12] }) }), 12),
      '"b" overlaps another',
    ],
    [
      "gap",
      header(JSON.stringify({ a: tensor(), b: tensor({ data_offsets: [12, 20] }) }), 20),
      "bytes 8 to 12 belong to no tensor",
    ],
    ["overlong", header(JSON.stringify({ a: tensor() }), 11), "3 bytes at its end belong to no tensor"],
  ])("%s", async (name, bytes, why) => {
    // not the case's name: the message holds the path
    const path = file(`lie-${sha256(Buffer.from(name)).slice(0, 8)}`);
    writeFileSync(path, bytes);
    const error: unknown = await readSafetensors(path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(path);
    expect((error as Error).message).toContain(why);
  });

  test("missing", async () => {
    await expect(readSafetensors(file("nowhere"))).rejects.toThrow(/nowhere cannot be opened \(ENOENT\)/);
  });

  test("cut short at any byte, and with any byte of its header changed: refused or read, never a crash", async () => {
    await writeSafetensors(file("whole"), sampleTensors(1), { a: "b" });
    const whole = readFileSync(file("whole"));
    for (let n = 0; n < whole.byteLength; n++) {
      writeFileSync(file("cut"), whole.subarray(0, n));
      await expect(readSafetensors(file("cut"))).rejects.toBeInstanceOf(UserError);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.byteLength - 1 }), fc.nat({ max: 255 }), async (at, value) => {
        const changed = Buffer.from(whole);
        changed[at] = value;
        writeFileSync(file("changed"), changed);
        try {
          const tensors = await readSafetensors(file("changed"));
          for (const t of tensors) expect(t.bytes.byteLength).toBe(byteLength(t.dtype, t.shape));
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("weightsSha256", () => {
  test("is over the bytes in order, whatever names, shapes and pieces", async () => {
    const tensors = [3_000_000, 1, 0, 1_048_576, 17].map((n, i) => ({
      name: `t${i}`,
      dtype: "uint8" as const,
      shape: [n],
      bytes: new Uint8Array(n).fill(i + 1),
    }));
    const expected = sha256(Buffer.concat(tensors.map((t) => t.bytes)));
    expect(await weightsSha256(tensors)).toBe(expected);
    expect(await weightsSha256(tensors.toReversed())).not.toBe(expected);
    expect(await weightsSha256([])).toBe(sha256(new Uint8Array()));
  });
});

test("the event loop runs on while 90 MB are written, hashed and read", async () => {
  // ResNet18's 44.7 MB and as much server state, in tensors of its sizes
  const sizes = [
    9408,
    ...Array(5).fill(147_456),
    ...Array(6).fill(4),
    9_437_184,
    9_437_184,
    9_437_184,
    9_437_184,
  ];
  const tensors = [0, 1].flatMap((part) =>
    sizes.map((n: number, i) => ({
      name: `part${part}.${i}`,
      dtype: "uint8" as const,
      shape: [n],
      bytes: new Uint8Array(n).fill(i + part),
    })),
  );
  // Turns of the loop, not milliseconds: those measure who else uses the machine.
  let turns = 0;
  let going = true;
  const count = () => {
    turns++;
    if (going) setImmediate(count);
  };
  count();
  const turnsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = turns;
    await work();
    return turns - before;
  };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const mebibytes = Math.floor(tensors.reduce((sum, t) => sum + t.bytes.byteLength, 0) / 2 ** 20);
  const counted = {
    written: await turnsOf(() => writeSafetensors(file("large"), tensors)),
    hashed: await turnsOf(() => weightsSha256(tensors)),
    read: await turnsOf(() => readSafetensors(file("large"))),
  };
  going = false;
  delay.disable();
  const [p99, max] = [delay.percentile(99), delay.max].map((ns) => (ns / 1e6).toFixed(1));
  console.info(`${mebibytes} MiB: turns ${JSON.stringify(counted)}; loop late p99 ${p99} ms, max ${max} ms`);
  for (const turnsTaken of Object.values(counted)) expect(turnsTaken).toBeGreaterThan(mebibytes * 0.9);
});

test("a write that fails leaves neither file nor remains, and says what to do", async () => {
  const target = file("taken");
  mkdirSync(join(target, "inside"), { recursive: true });
  // a folder that is not empty has the name: the rename fails after everything was written
  await expect(writeSafetensors(target, sampleTensors(1))).rejects.toThrow();
  expect(readdirSync(folder.path).filter((n) => n.endsWith(".unfinished"))).toEqual([]);
});
