import { UserError } from "#contract/failure.ts";
import { byteLength, DTYPES, type Dtype, type NamedTensor, type Tensor } from "#contract/tensor.ts";

/** The format's own limit on its header, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

const CODES: Readonly<Record<Dtype, string>> = {
  float16: "F16",
  float32: "F32",
  float64: "F64",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  bool: "BOOL",
};
const DTYPE_OF: ReadonlyMap<string, Dtype> = new Map(DTYPES.map((d) => [CODES[d], d]));

export interface HeaderEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes [begin, end) after the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the header's text. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

const elementBytes = (t: Tensor): number => byteLength(t.dtype, []);

/**
 * The first bytes of a safetensors file and the tensors in the order in which their bytes follow. The header
 * names tensors in the given order; their bytes go from wide elements to narrow ones, as the reference
 * implementation lays them out, because PyTorch refuses a view of bytes that are not aligned to the element.
 * @throws TypeError on two tensors of one name, or bytes that do not fit dtype and shape.
 */
export const encodeHeader = (
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): { prefix: Uint8Array; layout: readonly NamedTensor[] } => {
  const layout = [...tensors].sort((a, b) => elementBytes(b) - elementBytes(a));
  const offsets = new Map<string, [number, number]>();
  let at = 0;
  for (const t of layout) {
    if (t.name === "__metadata__" || offsets.has(t.name)) {
      throw new TypeError(`a checkpoint cannot hold two tensors called ${t.name}`);
    }
    if (t.bytes.byteLength !== byteLength(t.dtype, t.shape)) {
      throw new TypeError(
        `${t.name} has ${t.bytes.byteLength} bytes, which do not fit ${t.dtype} (${t.shape})`,
      );
    }
    offsets.set(t.name, [at, at + t.bytes.byteLength]);
    at += t.bytes.byteLength;
  }
  const fields = tensors.map(
    (t) =>
      `${JSON.stringify(t.name)}:${JSON.stringify({
        dtype: CODES[t.dtype],
        shape: t.shape,
        data_offsets: offsets.get(t.name),
      })}`,
  );
  if (Object.keys(metadata).length > 0) fields.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${fields.join(",")}}`, "utf8");
  const length = Math.ceil(json.byteLength / 8) * 8;
  if (length > MAX_HEADER_BYTES) throw new TypeError(`the header would take ${length} bytes`);
  const prefix = Buffer.alloc(8 + length, " ");
  prefix.writeBigUInt64LE(BigInt(length), 0);
  json.copy(prefix, 8);
  return { prefix, layout };
};

/** The keys of the outermost object in order of the text, duplicates and all: JSON.parse keeps neither. */
const outermostKeys = (json: string): string[] => {
  const keys: string[] = [];
  let depth = 0;
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[{}[\]]/gs)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && token.endsWith(":")) keys.push(JSON.parse(token.slice(0, -1)) as string);
  }
  return keys;
};

const isCount = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === "object" && v !== null && !Array.isArray(v);

/**
 * Reads and checks a header against the size of the data behind it: every byte belongs to exactly one tensor.
 * @param json the header's bytes, without the eight of its length
 * @param dataBytes bytes in the file after the header
 * @throws UserError naming `path` and what is wrong.
 */
export const decodeHeader = (json: Uint8Array, dataBytes: number, path: string): Header => {
  const refuse = (why: string): never => {
    throw new UserError(
      `${path} is not a valid safetensors file: ${why}. Replace it with an undamaged copy, or remove it.`,
    );
  };
  let text = "";
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    parsed = text.startsWith("{") ? JSON.parse(text) : undefined;
  } catch {
    parsed = undefined;
  }
  if (!isRecord(parsed)) return refuse("its header is not a JSON object");
  const keys = outermostKeys(text);
  if (new Set(keys).size !== keys.length) refuse("its header names a tensor twice");

  const metadata: [string, string][] = [];
  const entries: HeaderEntry[] = [];
  for (const name of keys) {
    const value = parsed[name];
    if (!isRecord(value)) return refuse(`the entry ${JSON.stringify(name)} is not an object`);
    if (name === "__metadata__") {
      for (const [key, word] of Object.entries(value)) {
        if (typeof word !== "string") return refuse(`the metadata ${JSON.stringify(key)} is not a string`);
        metadata.push([key, word]);
      }
      continue;
    }
    const { dtype: code, shape, data_offsets: offsets, ...rest } = value;
    const label = JSON.stringify(name);
    if (Object.keys(rest).length > 0) refuse(`the tensor ${label} has an unknown field`);
    const dtype = typeof code === "string" ? DTYPE_OF.get(code) : undefined;
    if (dtype === undefined) {
      return refuse(
        `the tensor ${label} has the element type ${JSON.stringify(code)}, which is not supported`,
      );
    }
    if (!Array.isArray(shape) || !shape.every(isCount))
      return refuse(`the tensor ${label} has no valid shape`);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
      return refuse(`the tensor ${label} has no valid data_offsets`);
    }
    const [begin, end] = offsets as [number, number];
    if (begin > end || end > dataBytes) refuse(`the tensor ${label} lies outside the file`);
    if (end - begin !== byteLength(dtype, shape)) {
      refuse(`the tensor ${label} has ${end - begin} bytes, which do not fit ${code} (${shape.join(", ")})`);
    }
    entries.push({ name, dtype, shape, begin, end });
  }
  let at = 0;
  for (const e of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (e.begin < at) refuse(`the tensor ${JSON.stringify(e.name)} overlaps another`);
    if (e.begin > at) refuse(`bytes ${at} to ${e.begin} belong to no tensor`);
    at = e.end;
  }
  if (at !== dataBytes) refuse(`${dataBytes - at} bytes at its end belong to no tensor`);
  return { entries, metadata: Object.fromEntries(metadata) };
};
