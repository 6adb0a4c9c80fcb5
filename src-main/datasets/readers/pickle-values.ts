/** What a pickle can hold here. Plain values and descriptions of numpy arrays; nothing is ever called. */

/** Python text. Python 2's `str` is bytes that are read as latin1 where text is wanted. */
export interface PickleText {
  readonly kind: "text";
  readonly bytes: Buffer;
  readonly encoding: "latin1" | "utf8";
}

export interface PickleBytes {
  readonly kind: "bytes";
  readonly bytes: Buffer;
}

/** `_codecs.encode(text, "latin1")`: how Python 3 writes bytes in protocols 0 to 2. Converted when it is used. */
export interface PickleEncoded {
  readonly kind: "encoded";
  readonly text: PickleText;
}

export interface PickleDtype {
  readonly kind: "dtype";
  /** numpy's short code without byte order, e.g. "u1", "i8". */
  readonly code: string;
  bigEndian: boolean;
}

export interface PickleArray {
  readonly kind: "array";
  shape: readonly number[];
  dtype: PickleDtype | undefined;
  fortran: boolean;
  data: PickleText | PickleBytes | PickleEncoded | undefined;
}

export interface PickleGlobal {
  readonly kind: "global";
  readonly name: "reconstruct" | "ndarray" | "dtype" | "encode";
}

export interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<string, PickleValue>;
}

export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

export type PickleValue =
  | null
  | boolean
  | number
  | PickleText
  | PickleBytes
  | PickleEncoded
  | PickleDtype
  | PickleArray
  | PickleGlobal
  | PickleDict
  | PickleList
  | PickleTuple;

/** The pickle is damaged, or asks for something that is not data; the message is the middle of a sentence. */
export class PickleRefused extends Error {
  override readonly name = "PickleRefused";
}

/** Longest key or name that is decoded, in bytes. */
const MAX_NAME = 1024;

type Kind = Exclude<PickleValue, null | boolean | number>["kind"];

/** Narrows a value to one kind. */
export const isKind = <K extends Kind>(
  value: PickleValue | undefined,
  ...kinds: K[]
): value is Extract<PickleValue, { kind: K }> =>
  typeof value === "object" && value !== null && (kinds as Kind[]).includes(value.kind);

/** A short text: a dictionary's key, a type code, an encoding's name. Undefined if it is something else. */
export const shortText = (value: PickleValue | undefined): string | undefined => {
  if (!isKind(value, "text", "bytes", "encoded")) return undefined;
  const inner = value.kind === "encoded" ? value.text : value;
  if (inner.bytes.length > MAX_NAME) return undefined;
  return inner.bytes.toString(inner.kind === "text" ? inner.encoding : "latin1");
};

/** The bytes that a value stands for, without a copy where they lie in the file as they are. */
export const bytesOf = (value: PickleText | PickleBytes | PickleEncoded): Buffer => {
  if (value.kind === "bytes") return value.bytes;
  const { bytes, encoding } = value.kind === "encoded" ? value.text : value;
  if (encoding === "latin1") return bytes;
  if (value.kind === "text") throw new PickleRefused("holds text where bytes are expected");
  // through a string: both steps are vectorised, a loop over bytes takes six times as long
  const text = bytes.toString("utf8");
  // what is not UTF-8 has become U+FFFD
  if (/[^\0-\xff]/.test(text))
    throw new PickleRefused("holds text that is not latin1 where bytes are expected");
  return Buffer.from(text, "latin1");
};

const ITEM_BYTES: Readonly<Record<string, number>> = {
  u1: 1,
  i1: 1,
  u2: 2,
  i2: 2,
  u4: 4,
  i4: 4,
  u8: 8,
  i8: 8,
};

const arrayBytes = (array: PickleArray): Buffer => {
  const { dtype, data, shape } = array;
  if (!dtype || !data) throw new PickleRefused("holds an array without contents");
  const item = ITEM_BYTES[dtype.code];
  if (!item)
    throw new PickleRefused(`holds an array of type ${JSON.stringify(dtype.code)}, expected integers`);
  const bytes = bytesOf(data);
  const expected = shape.reduce((a, b) => a * b, item);
  if (bytes.length !== expected) {
    throw new PickleRefused(
      `holds an array of shape ${shape.join(" × ")} with ${bytes.length} bytes, expected ${expected}`,
    );
  }
  return bytes;
};

/** The bytes of a C-ordered uint8 array of exactly this shape. */
export const uint8Array = (
  value: PickleValue | undefined,
  what: string,
  shape: readonly number[],
): Buffer => {
  if (!isKind(value, "array")) throw new PickleRefused(`has no array ${what}`);
  const found = value.shape.join(" × ");
  if (value.shape.length !== shape.length || value.shape.some((n, i) => n !== shape[i])) {
    throw new PickleRefused(`${what} has the shape ${found}, expected ${shape.join(" × ")}`);
  }
  if (value.dtype?.code !== "u1")
    throw new PickleRefused(`${what} is of type ${value.dtype?.code}, expected u1`);
  if (value.fortran) throw new PickleRefused(`${what} is in Fortran order, expected C order`);
  return arrayBytes(value);
};

/** A list, or an integer array, of `count` small whole numbers. */
export const smallIntegers = (value: PickleValue | undefined, what: string, count: number): number[] => {
  let numbers: number[];
  if (isKind(value, "list", "tuple")) {
    numbers = value.items.map((item, i) => {
      if (typeof item !== "number") throw new PickleRefused(`entry ${i} of ${what} is not a number`);
      return item;
    });
  } else if (isKind(value, "array")) {
    const bytes = arrayBytes(value);
    const { code, bigEndian } = value.dtype!;
    const width = ITEM_BYTES[code]!;
    // labels fit into one byte: the others must be zero, which also refuses negative numbers
    numbers = Array.from({ length: bytes.length / width }, (_, i) => {
      const item = bytes.subarray(i * width, (i + 1) * width);
      const low = item[bigEndian ? width - 1 : 0]!;
      const rest = item.reduce((sum, byte) => sum + byte, 0) - low;
      return rest === 0 ? low : -1;
    });
  } else throw new PickleRefused(`has no list ${what}`);
  if (numbers.length !== count)
    throw new PickleRefused(`${what} has ${numbers.length} entries, expected ${count}`);
  const bad = numbers.findIndex((n) => !Number.isInteger(n) || n < 0 || n > 255);
  if (bad >= 0) throw new PickleRefused(`entry ${bad} of ${what} is out of range`);
  return numbers;
};
