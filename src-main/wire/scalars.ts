import {
  BYTES,
  createProtoWriter,
  type Encoded,
  FIXED64,
  type ProtoReader,
  type ProtoWriter,
  VARINT,
} from "./protobuf.ts";
import { type Config, type ConfigOut, type Scalar, type ScalarOut, WireError } from "./protocol.ts";

/** Flower's Scalar and its maps: the same field numbers in every version. */
const SCALAR = { double: 1, uint64: 6, sint64: 8, bool: 13, string: 14, bytes: 15 } as const;

/** Entries of one map: far above any real configuration. */
const MAX_ENTRIES = 10_000;

/** A number where it is exact, else the bigint. */
const exact = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;

const readScalar = (reader: ProtoReader, before: Scalar | undefined): Scalar | undefined => {
  let value = before;
  for (let field = reader.field(); field; field = reader.field()) {
    const { number, type } = field;
    if (number === SCALAR.double && type === FIXED64) value = reader.double();
    else if (number === SCALAR.sint64 && type === VARINT) value = exact(reader.sint64());
    else if (number === SCALAR.uint64 && type === VARINT) value = exact(reader.uint64());
    else if (number === SCALAR.bool && type === VARINT) value = reader.bool();
    else if (number === SCALAR.string && type === BYTES) value = reader.string();
    else if (number === SCALAR.bytes && type === BYTES) value = reader.bytes();
    else reader.skip(field);
  }
  return value;
};

/** Reads one entry of a `map<string, Scalar>` into the map; a key that comes again replaces the earlier one. */
export const readConfigEntry = (reader: ProtoReader, into: Map<string, Scalar>): void => {
  let key = "";
  let value: Scalar | undefined;
  for (let field = reader.field(); field; field = reader.field()) {
    if (field.number === 1 && field.type === BYTES) key = reader.string();
    else if (field.number === 2 && field.type === BYTES) value = readScalar(reader.message(), value);
    else reader.skip(field);
  }
  if (value === undefined)
    throw new WireError("protocol-broken", `the message gives ${JSON.stringify(key)} no value`);
  into.set(key, value);
  if (into.size > MAX_ENTRIES)
    throw new WireError("protocol-broken", `the message has more than ${MAX_ENTRIES} named values`);
};

/** Own properties only, so that a key such as `__proto__` is a key like any other. */
export const toConfig = (map: ReadonlyMap<string, Scalar>): Config => Object.fromEntries(map);

const encodeScalar = (scalar: ScalarOut): Encoded => {
  const writer = createProtoWriter();
  if (scalar.kind === "int") writer.sint64(SCALAR.sint64, scalar.value);
  else if (scalar.kind === "double") writer.double(SCALAR.double, scalar.value);
  else if (scalar.kind === "bool") writer.varint(SCALAR.bool, scalar.value ? 1 : 0);
  else if (scalar.kind === "string") writer.string(SCALAR.string, scalar.value);
  else writer.bytes(SCALAR.bytes, scalar.value);
  return writer.finish();
};

/** Writes a `map<string, Scalar>` as the field `number`, in the order of its keys. */
export const writeConfig = (writer: ProtoWriter, number: number, config: ConfigOut): void => {
  for (const [key, scalar] of Object.entries(config)) {
    const entry = createProtoWriter();
    entry.string(1, key);
    entry.message(2, encodeScalar(scalar));
    writer.message(number, entry.finish());
  }
};
