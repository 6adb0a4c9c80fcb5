import { BYTES_PER_ELEMENT, type Dtype, type Tensor } from "#contract/tensor.ts";
import { type NpyHeader, parseNpyHeader } from "./npy-header.ts";
import { WireError } from "./protocol.ts";

/**
 * NumPy's file format for one array (NEP 1; numpy/lib/format.py), as Flower puts it on the wire with
 * `np.save(allow_pickle=False)`: magic, version, header length, a Python dict literal, then the elements.
 */

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** NumPy's own bound is 10,000; 64 dimensions of 20 digits fit into this one. */
const MAX_HEADER_BYTES = 4096;
const ALIGNMENT = 64;
/** NumPy leaves room for the first axis to grow to this many digits, so that a file can be appended to. */
const GROWTH_AXIS_DIGITS = 21;

const DESCR: Readonly<Record<Dtype, string>> = {
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
  int8: "|i1",
  int16: "<i2",
  int32: "<i4",
  int64: "<i8",
  uint8: "|u1",
  uint16: "<u2",
  uint32: "<u4",
  uint64: "<u8",
  bool: "|b1",
};

/**
 * The bytes that go before a little-endian, C-ordered array of this dtype and shape: format 1.0, padded to a
 * multiple of 64, byte for byte what NumPy writes. `shape` is empty for a 0-dimensional array.
 */
export const npyHeader = (dtype: Dtype, shape: readonly number[]): Uint8Array => {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  let dict = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  if (shape.length > 0) dict += " ".repeat(Math.max(0, GROWTH_AXIS_DIGITS - String(shape[0]).length));
  const unpadded = MAGIC.length + 4 + dict.length + 1;
  const padding = ALIGNMENT - (unpadded % ALIGNMENT);
  const text = `${dict}${" ".repeat(padding)}\n`;
  const header = new Uint8Array(MAGIC.length + 4 + text.length);
  header.set(MAGIC);
  header[6] = 1;
  header[8] = text.length & 0xff;
  header[9] = text.length >> 8;
  for (let i = 0; i < text.length; i++) header[10 + i] = text.charCodeAt(i);
  return header;
};

/** Where the elements begin and what they are, after the magic, the version and the header were checked. */
const openNpy = (bytes: Uint8Array): { header: NpyHeader; start: number } => {
  if (bytes.length < 10)
    throw new WireError("bad-tensor", `${bytes.length} bytes are too few for an npy array`);
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[i] !== MAGIC[i]) throw new WireError("bad-tensor", "the npy magic is missing");
  }
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if ((major !== 1 && major !== 2) || minor !== 0) {
    throw new WireError("bad-tensor", `npy format ${major}.${minor} is not supported; 1.0 and 2.0 are`);
  }
  const prefix = major === 1 ? 10 : 12;
  if (bytes.length < prefix) throw new WireError("bad-tensor", "the npy header is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new WireError("bad-tensor", `an npy header of ${headerBytes} bytes is over ${MAX_HEADER_BYTES}`);
  }
  const start = prefix + headerBytes;
  if (start > bytes.length) throw new WireError("bad-tensor", "the npy header is cut off");
  return { header: parseNpyHeader(bytes.subarray(prefix, start)), start };
};

/** Elements of a shape, exactly. A size that no memory holds is refused here, before anything multiplies on. */
const countElements = (shape: readonly number[]): number => {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const dimension of shape) {
    count *= dimension;
    if (count > Number.MAX_SAFE_INTEGER) {
      throw new WireError("bad-tensor", `shape (${shape.join(", ")}) is larger than any memory`);
    }
  }
  return count;
};

/**
 * Reads one npy array.
 *
 * @param bytes the whole array, header and elements, and nothing after it
 * @returns a tensor whose `bytes` are a view of the input; big-endian elements and Fortran order of two or more
 *   axes are brought to little-endian C order, which is the only copy
 * @throws WireError `bad-tensor` for object, structured, text or unknown dtypes, a malformed header, or a payload
 *   that is not exactly as long as dtype and shape say
 */
export const decodeNpy = (bytes: Uint8Array): Tensor => {
  const { header, start } = openNpy(bytes);
  const { dtype, shape, bigEndian, fortranOrder } = header;
  const itemSize = BYTES_PER_ELEMENT[dtype];
  const count = countElements(shape);
  const payload = bytes.subarray(start);
  if (count > payload.length || payload.length !== count * itemSize) {
    throw new WireError(
      "bad-tensor",
      `the header announces ${dtype} (${shape.join(", ")}), that is ${count * itemSize} bytes, but ${payload.length} follow`,
    );
  }
  let elements = payload;
  if (bigEndian && itemSize > 1) elements = swapBytes(elements, itemSize);
  // With fewer than two axes of more than one element, both orders are the same.
  if (fortranOrder && count > 0 && shape.filter((d) => d > 1).length > 1)
    elements = toRowMajor(elements, shape, itemSize);
  return { dtype, shape, bytes: elements };
};

/** A copy with the bytes of every element reversed. */
const swapBytes = (source: Uint8Array, itemSize: number): Uint8Array => {
  const target = new Uint8Array(source.length);
  for (let i = 0; i < source.length; i += itemSize) {
    for (let k = 0; k < itemSize; k++) target[i + k] = source[i + itemSize - 1 - k]!;
  }
  return target;
};

/** The bytes as units of one, two or four; only moved, never computed with, so unsigned integers stand for all. */
const unitsOf = (bytes: Uint8Array, size: number): Uint8Array | Uint16Array | Uint32Array => {
  if (size === 1) return bytes;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return size === 2
    ? new Uint16Array(buffer, byteOffset, bytes.length / 2)
    : new Uint32Array(buffer, byteOffset, bytes.length / 4);
};

/** Rows and columns that are moved together, so that both sides stay in the cache. */
const BLOCK = 32;

/**
 * Column-major elements of two or more axes in row-major order. For every index of the axes between, the first and
 * the last axis make a matrix that is transposed block by block.
 */
const toRowMajor = (source: Uint8Array, shape: readonly number[], itemSize: number): Uint8Array => {
  // Eight-byte elements move as pairs of four: as doubles, a signalling NaN could be quietened on the way.
  const pair = itemSize === 8 ? 2 : 1;
  const unit = itemSize / pair;
  const target = new Uint8Array(source.length);
  const from = unitsOf(source, unit);
  const to = unitsOf(target, unit);
  const [rows, columns] = [shape[0]!, shape.at(-1)!];
  const middle = shape.slice(1, -1);
  const middleCount = middle.reduce((n, d) => n * d, 1);
  const fromColumn = pair * rows * middleCount;
  const toRow = pair * middleCount * columns;
  const index = middle.map(() => 0);
  for (let m = 0; m < middleCount; m++) {
    // Column-major and row-major offset of this index of the axes between.
    let fromBase = 0;
    for (let k = middle.length - 1; k >= 0; k--) fromBase = fromBase * middle[k]! + index[k]!;
    fromBase *= pair * rows;
    const toBase = pair * m * columns;
    for (let r0 = 0; r0 < rows; r0 += BLOCK) {
      const r1 = Math.min(rows, r0 + BLOCK);
      for (let c0 = 0; c0 < columns; c0 += BLOCK) {
        const c1 = Math.min(columns, c0 + BLOCK);
        for (let r = r0; r < r1; r++) {
          let at = fromBase + pair * r + c0 * fromColumn;
          let out = toBase + r * toRow + pair * c0;
          for (let c = c0; c < c1; c++) {
            to[out++] = from[at]!;
            if (pair === 2) to[out++] = from[at + 1]!;
            at += fromColumn;
          }
        }
      }
    }
    // The next index of the axes between, the last one turning fastest.
    for (let k = middle.length - 1; k >= 0; k--) {
      if (++index[k]! < middle[k]!) break;
      index[k] = 0;
    }
  }
  return target;
};
