import { WireError } from "./protocol.ts";

/**
 * The part of the protobuf encoding (protobuf.dev/programming-guides/encoding) that the messages need. Reading hands
 * out views; writing gathers chunks, so that a tensor's bytes are never copied.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const GROUP_START = 3;
const GROUP_END = 4;
export const FIXED32 = 5;

/** Nesting of groups of unknown fields that is still skipped; protobuf's own default for any nesting. */
const MAX_GROUP_DEPTH = 100;
/** Fields in one message, all levels together: far above a real update, far below what would stall the server. */
const MAX_FIELDS = 200_000;

const broken = (message: string): WireError =>
  new WireError("protocol-broken", `malformed message: ${message}`);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Counts the fields of one message and its submessages. */
interface FieldBudget {
  left: number;
}

export interface ProtoReader {
  /** The next field's number and wire type, or undefined at the end. */
  field(): { readonly number: number; readonly type: number } | undefined;
  /** A varint as an unsigned 64-bit integer. */
  uint64(): bigint;
  int64(): bigint;
  /** A zig-zag encoded signed integer. */
  sint64(): bigint;
  /** An int32 or an enum: the low 32 bits. */
  int32(): number;
  bool(): boolean;
  double(): number;
  float(): number;
  /** A view of a length-delimited field. */
  bytes(): Uint8Array;
  string(): string;
  /** A reader of a submessage, which shares this one's budget. */
  message(): ProtoReader;
  /** Steps over the value of a field of this wire type, which `field` has just announced. */
  skip(field: { readonly number: number; readonly type: number }): void;
}

/**
 * @param source one encoded message
 * @param budget fields that may still be read; shared between a message and its submessages
 * @throws WireError `protocol-broken` from any method, when bytes are missing or malformed
 */
export const createProtoReader = (
  source: Uint8Array,
  budget: FieldBudget = { left: MAX_FIELDS },
): ProtoReader => {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  let at = 0;

  const varint = (): { low: number; high: number } => {
    // 64 bits as two unsigned halves: five groups of seven bits reach into the second half at bit 28.
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= source.length) throw broken("a number is cut off");
      const byte = source[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else {
        if (bits > 1) throw broken("a number has more than 64 bits");
        high |= bits << 31;
      }
      if (byte < 0x80) return { low: low >>> 0, high: high >>> 0 };
    }
    throw broken("a number is longer than ten bytes");
  };

  const uint64 = (): bigint => {
    const { low, high } = varint();
    return (BigInt(high) << 32n) | BigInt(low);
  };

  const need = (count: number): number => {
    if (count > source.length - at)
      throw broken(`${count} bytes are announced, ${source.length - at} follow`);
    const start = at;
    at += count;
    return start;
  };

  const bytes = (): Uint8Array => {
    const { low, high } = varint();
    if (high !== 0) throw broken("a length is larger than any message");
    const start = need(low);
    return source.subarray(start, start + low);
  };

  const field = (): { number: number; type: number } | undefined => {
    if (at >= source.length) return undefined;
    if (--budget.left < 0) throw broken(`more than ${MAX_FIELDS} fields`);
    const { low, high } = varint();
    const number = low >>> 3;
    if (high !== 0 || number === 0) throw broken("a field without a valid number");
    return { number, type: low & 7 };
  };

  const skip = (what: { readonly number: number; readonly type: number }, depth: number): void => {
    if (what.type === VARINT) varint();
    else if (what.type === FIXED64) need(8);
    else if (what.type === BYTES) bytes();
    else if (what.type === FIXED32) need(4);
    else if (what.type === GROUP_START) {
      if (depth >= MAX_GROUP_DEPTH) throw broken("groups are nested too deep");
      for (;;) {
        const inner = field();
        if (inner === undefined) throw broken("a group is not closed");
        if (inner.type === GROUP_END) {
          if (inner.number !== what.number) throw broken("a group is closed by another");
          return;
        }
        skip(inner, depth + 1);
      }
    } else
      throw broken(what.type === GROUP_END ? "a group is closed that was not open" : "an unknown wire type");
  };

  return {
    field,
    uint64,
    int64: () => BigInt.asIntN(64, uint64()),
    sint64: () => {
      const n = uint64();
      return (n >> 1n) ^ -(n & 1n);
    },
    int32: () => varint().low | 0,
    bool: () => {
      const { low, high } = varint();
      return low !== 0 || high !== 0;
    },
    double: () => view.getFloat64(need(8), true),
    float: () => view.getFloat32(need(4), true),
    bytes,
    string: () => {
      try {
        return utf8.decode(bytes());
      } catch (error) {
        if (error instanceof WireError) throw error;
        throw broken("a text is not UTF-8");
      }
    },
    message: () => createProtoReader(bytes(), budget),
    skip: (what) => skip(what, 0),
  };
};

/** Chunks of one encoded message, and their length together. */
export interface Encoded {
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
}

/** A byte string that becomes a chunk of its own from this length on; shorter ones are copied into their neighbour. */
const OWN_CHUNK_BYTES = 256;

export interface ProtoWriter {
  varint(number: number, value: number | bigint): void;
  sint64(number: number, value: number | bigint): void;
  double(number: number, value: number): void;
  float(number: number, value: number): void;
  /** A length-delimited field made of parts; large parts stay views. */
  bytes(number: number, ...parts: readonly Uint8Array[]): void;
  string(number: number, value: string): void;
  message(number: number, content: Encoded): void;
  finish(): Encoded;
}

/** Writes fields in the order of its calls. Two's complement makes a negative varint ten bytes long. */
export const createProtoWriter = (): ProtoWriter => {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  let buffer = new Uint8Array(128);
  let used = 0;

  const reserve = (count: number): void => {
    if (used + count <= buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * buffer.length, used + count));
    grown.set(buffer.subarray(0, used));
    buffer = grown;
  };

  const flush = (): void => {
    if (used > 0) chunks.push(buffer.subarray(0, used));
    byteLength += used;
    buffer = new Uint8Array(128);
    used = 0;
  };

  const rawVarint = (value: bigint): void => {
    reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      buffer[used++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    buffer[used++] = Number(rest);
  };

  const tag = (number: number, type: number): void => rawVarint(BigInt(number * 8 + type));

  const part = (bytes: Uint8Array): void => {
    if (bytes.length >= OWN_CHUNK_BYTES) {
      flush();
      chunks.push(bytes);
      byteLength += bytes.length;
    } else {
      reserve(bytes.length);
      buffer.set(bytes, used);
      used += bytes.length;
    }
  };

  const bytesField = (number: number, parts: readonly Uint8Array[]): void => {
    tag(number, BYTES);
    rawVarint(BigInt(parts.reduce((n, p) => n + p.length, 0)));
    for (const p of parts) part(p);
  };

  return {
    varint: (number, value) => {
      tag(number, VARINT);
      rawVarint(BigInt(value));
    },
    sint64: (number, value) => {
      const n = BigInt.asIntN(64, BigInt(value));
      tag(number, VARINT);
      rawVarint((n << 1n) ^ (n >> 63n));
    },
    double: (number, value) => {
      tag(number, FIXED64);
      reserve(8);
      new DataView(buffer.buffer).setFloat64(used, value, true);
      used += 8;
    },
    float: (number, value) => {
      tag(number, FIXED32);
      reserve(4);
      new DataView(buffer.buffer).setFloat32(used, value, true);
      used += 4;
    },
    bytes: (number, ...parts) => bytesField(number, parts),
    string: (number, value) => bytesField(number, [encoder.encode(value)]),
    message: (number, content) => bytesField(number, content.chunks),
    finish: () => {
      flush();
      return { chunks, byteLength };
    },
  };
};
