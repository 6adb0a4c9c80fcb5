import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BYTES_PER_ELEMENT, DTYPES, type Dtype } from "#contract/tensor.ts";
import { decodeNpy, npyHeader } from "#main/wire/npy.ts";
import { WireError } from "#main/wire/protocol.ts";

interface Golden {
  accepted: { name: string; dtype: Dtype; shape: number[]; bytes: string; npy: string }[];
  refused: { name: string; npy: string }[];
}
const golden = JSON.parse(readFileSync(new URL("../../golden/npy.json", import.meta.url), "utf8")) as Golden;
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));

/** An npy array with any header text; the length is put right. */
const npy = (header: string, payload: Uint8Array, version = 1): Uint8Array => {
  const text = Buffer.from(header, "latin1");
  const prefix = version === 1 ? Buffer.from([text.length & 255, text.length >> 8]) : Buffer.alloc(4, 0);
  if (version === 2) prefix.writeUInt32LE(text.length);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x93]),
      Buffer.from("NUMPY"),
      Buffer.from([version, 0]),
      prefix,
      text,
      payload,
    ]),
  );
};
const refusal = (bytes: Uint8Array): string => {
  try {
    decodeNpy(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    expect((error as WireError).code).toBe("bad-tensor");
    return (error as WireError).message;
  }
  throw new Error("it was accepted");
};

describe("arrays that NumPy saved", () => {
  test.each(golden.accepted)("$name", ({ dtype, shape, bytes, npy: saved }) => {
    const tensor = decodeNpy(bytesOf(saved));
    expect(tensor.dtype).toBe(dtype);
    expect(tensor.shape).toEqual(shape);
    expect(Buffer.from(tensor.bytes).toString("base64")).toBe(bytes);
  });

  test.each(golden.refused)("refused: $name", ({ npy: saved }) => {
    expect(refusal(bytesOf(saved))).toMatch(/refused|not a supported|not supported|byte order/);
  });

  test("our header is NumPy's, byte for byte", () => {
    const plain = golden.accepted.filter((g) => !/order|big|format/.test(g.name));
    expect(plain.length).toBe(DTYPES.length * 9);
    for (const { dtype, shape, bytes, npy: saved } of plain) {
      const ours = Buffer.concat([npyHeader(dtype, shape), bytesOf(bytes)]);
      expect(ours.toString("base64")).toBe(saved);
    }
  });
});

test("the tensor is a view of the input", () => {
  const file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", new Uint8Array(8));
  const tensor = decodeNpy(file);
  expect(tensor.bytes.buffer).toBe(file.buffer);
  file[file.length - 1] = 7;
  expect(tensor.bytes[7]).toBe(7);
});

test("Fortran order of one axis is not copied", () => {
  const file = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}", new Uint8Array(8));
  expect(decodeNpy(file).bytes.buffer).toBe(file.buffer);
});

test("a header in any order, with other quotes, whitespace, commas and long integers", () => {
  const header = '  {"shape" :( 2L ,3, ) ,\n\t"fortran_order":False,"descr":  "<i2"}  \n';
  for (const version of [1, 2]) {
    const tensor = decodeNpy(npy(header, new Uint8Array(12), version));
    expect(tensor).toMatchObject({ dtype: "int16", shape: [2, 3] });
  }
});

test("zero-size shapes whose other axes are huge", () => {
  const shape = `(0, ${2 ** 50}, ${2 ** 50})`;
  const tensor = decodeNpy(
    npy(`{'descr': '<f8', 'fortran_order': True, 'shape': ${shape}}`, new Uint8Array(0)),
  );
  expect(tensor.bytes.length).toBe(0);
});

describe("headers that lie or are malformed", () => {
  const ok = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const eight = new Uint8Array(8);
  const cases: [string, string, Uint8Array][] = [
    ["too short a payload", ok, new Uint8Array(7)],
    ["too long a payload", ok, new Uint8Array(9)],
    ["no payload", ok, new Uint8Array(0)],
    ["a product beyond 2^53", ok.replace("(2,)", `(${2 ** 40}, ${2 ** 40})`), eight],
    ["a product that wraps to the payload's size", ok.replace("(2,)", "(4294967296, 4294967296, 2)"), eight],
    ["a dimension beyond 2^53", ok.replace("(2,)", "(99999999999999999999,)"), eight],
    ["a negative dimension", ok.replace("(2,)", "(-2,)"), eight],
    ["a fraction", ok.replace("(2,)", "(2.0,)"), eight],
    ["a hexadecimal dimension", ok.replace("(2,)", "(0x2,)"), eight],
    ["an integer for a shape", ok.replace("(2,)", "(2)"), eight],
    ["a list for a shape", ok.replace("(2,)", "[2]"), eight],
    ["65 dimensions", ok.replace("(2,)", `(${"1, ".repeat(65)})`), new Uint8Array(4)],
    ["a missing key", "{'descr': '<f4', 'shape': (2,), }", eight],
    ["a key twice", ok.replace("}", "'shape': (2,)}"), eight],
    ["a key too many", ok.replace("}", "'x': 1}"), eight],
    ["something after the dict", `${ok} 1`, eight],
    ["code", ok.replace("False", "__import__('os')"), eight],
    ["no order", ok.replace("False", "0"), eight],
    ["a comma too many", ok.replace("(2,)", "(2,,)"), eight],
    ["no byte order", ok.replace("<f4", "=f4"), eight],
    ["no byte order for four bytes", ok.replace("<f4", "|f4"), eight],
    ["object", ok.replace("<f4", "|O"), eight],
    ["a name of the prototype", ok.replace("<f4", "<constructor"), eight],
    ["a list of fields", ok.replace("'<f4'", "[('a', '<f4')]"), eight],
    ["an open string", "{'descr", eight],
    ["an open dict", "{'descr': '<f4'", eight],
    ["nothing", "", eight],
    ["a header over 4096 bytes", ok + " ".repeat(4096), eight],
  ];
  test.each(cases)("%s", (_name, header, payload) => {
    expect(refusal(npy(header, payload)).length).toBeGreaterThan(10);
  });

  test("cut off anywhere", () => {
    const whole = npy(ok, eight);
    for (let length = 0; length < whole.length; length++) refusal(whole.slice(0, length));
  });

  test("a header length beyond the end", () => {
    const whole = npy(ok, eight, 2);
    new DataView(whole.buffer).setUint32(8, 4000, true);
    expect(refusal(whole)).toMatch(/cut off/);
    new DataView(whole.buffer).setUint32(8, 0xffffffff, true);
    expect(refusal(whole)).toMatch(/over 4096/);
  });
});

test("what we write we read, at any alignment", () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(
      fc.constantFrom(...DTYPES),
      shapes,
      fc.integer({ min: 0, max: 7 }),
      (dtype, shape, offset) => {
        const size = shape.reduce((n, d) => n * d, 1) * BYTES_PER_ELEMENT[dtype];
        const payload = Uint8Array.from({ length: size }, (_, i) => (i * 37) & 255);
        const header = npyHeader(dtype, shape);
        expect(header.length % 64).toBe(0);
        const file = new Uint8Array(offset + header.length + size);
        file.set(header, offset);
        file.set(payload, offset + header.length);
        expect(decodeNpy(file.subarray(offset))).toEqual({ dtype, shape, bytes: payload });
      },
    ),
  );
});

test("any Fortran order comes out in C order", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 });
  const large = fc.tuple(
    fc.integer({ min: 30, max: 70 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 30, max: 70 }),
  );
  fc.assert(
    fc.property(fc.oneof(shapes, large), fc.constantFrom("|u1", "<i2", "<f4", "<f8"), (shape, descr) => {
      const size = Number(descr[2]);
      const count = shape.reduce((n, d) => n * d, 1);
      const inOrder = new Uint8Array(count * size);
      const columnMajor = new Uint8Array(count * size);
      for (let i = 0; i < count; i++) {
        // The place of element i of C order in Fortran order, by the definition of both.
        let rest = i;
        let at = 0;
        let stride = count;
        for (const dimension of [...shape].reverse()) {
          stride /= dimension;
          at += (rest % dimension) * stride;
          rest = Math.floor(rest / dimension);
        }
        for (let k = 0; k < size; k++) {
          const value = (i * 7 + k * 101) & 255;
          inOrder[i * size + k] = value;
          columnMajor[at * size + k] = value;
        }
      }
      const header = `{'descr': '${descr}', 'fortran_order': True, 'shape': (${shape.join(", ")}), }`;
      expect(Buffer.compare(decodeNpy(npy(header, columnMajor)).bytes, inOrder)).toBe(0);
    }),
  );
});
