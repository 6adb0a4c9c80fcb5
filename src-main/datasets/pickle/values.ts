import { PickleRefused } from "./refused.ts";

/** What a pickle can contain here: plain values and descriptions of numpy arrays. Nothing is ever called. */

/** Python text. Python 2's `str` is bytes, read as latin1 where text is wanted. */
export interface PickleText {
  readonly kind: "text";
  readonly bytes: Buffer;
  readonly encoding: "latin1" | "utf8";
}

interface PickleBytes {
  readonly kind: "bytes";
  readonly bytes: Buffer;
}

/** `_codecs.encode(text, "latin1")`: how Python 3 writes bytes in protocols 0 to 2. Converted when it is used. */
interface PickleEncoded {
  readonly kind: "encoded";
  readonly text: PickleText;
}

interface PickleDtype {
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

interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<string, PickleValue>;
}

interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

interface PickleTuple {
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

/** The bytes of a value, without a copy where the file has them as they are. */
export const bytesOf = (value: PickleText | PickleBytes | PickleEncoded): Buffer => {
  if (value.kind === "bytes") return value.bytes;
  const { bytes, encoding } = value.kind === "encoded" ? value.text : value;
  if (encoding === "latin1") return bytes;
  if (value.kind === "text") throw new PickleRefused("contains text where bytes are expected");
  // through a string: both steps are vectorised, and a loop over bytes takes six times as long
  const text = bytes.toString("utf8");
  // what is not UTF-8 has become U+FFFD
  if (/[^\0-\xff]/.test(text))
    throw new PickleRefused("contains text that is not latin1 where bytes are expected");
  return Buffer.from(text, "latin1");
};
