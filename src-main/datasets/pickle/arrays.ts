/** The contents of described arrays and lists, as the readers want them. */
import { PickleRefused } from "./refused.ts";
import { bytesOf, isKind, type PickleArray, type PickleValue } from "./values.ts";

/** Bytes per item by numpy's type code. */
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

const arrayBytes = ({ dtype, data, shape }: PickleArray): Buffer => {
  if (!dtype || !data) throw new PickleRefused("contains an array without contents");
  const item = ITEM_BYTES[dtype.code];
  if (!item) {
    throw new PickleRefused(`contains an array of type ${JSON.stringify(dtype.code)}, expected integers`);
  }
  const bytes = bytesOf(data);
  const expected = shape.reduce((a, b) => a * b, item);
  if (bytes.length !== expected) {
    throw new PickleRefused(
      `contains an array of shape ${shape.join(" × ")} with ${bytes.length} bytes, expected ${expected}`,
    );
  }
  return bytes;
};

/**
 * The bytes of a C-ordered uint8 array of exactly this shape.
 *
 * @throws PickleRefused if `value` is something else
 */
export const uint8Array = (
  value: PickleValue | undefined,
  what: string,
  shape: readonly number[],
): Buffer => {
  if (!isKind(value, "array")) throw new PickleRefused(`has no array ${what}`);
  if (value.shape.length !== shape.length || value.shape.some((n, i) => n !== shape[i])) {
    throw new PickleRefused(`has ${what} of shape ${value.shape.join(" × ")}, expected ${shape.join(" × ")}`);
  }
  if (value.dtype?.code !== "u1")
    throw new PickleRefused(`has ${what} of type ${value.dtype?.code}, expected u1`);
  if (value.fortran) throw new PickleRefused(`has ${what} in Fortran order, expected C order`);
  return arrayBytes(value);
};

/** Eight bytes lose precision above 2^53, where any value is out of range. */
const readItem = (item: Buffer, code: string, bigEndian: boolean): number => {
  const ordered = bigEndian ? item : Buffer.from(item).reverse();
  if (ordered.length === 8)
    return Number(code === "u8" ? ordered.readBigUInt64BE() : ordered.readBigInt64BE());
  return code.startsWith("u") ? ordered.readUIntBE(0, ordered.length) : ordered.readIntBE(0, ordered.length);
};

const numbersOf = (value: PickleValue | undefined, what: string): number[] => {
  if (isKind(value, "list", "tuple")) {
    return value.items.map((item, i) => {
      if (typeof item !== "number")
        throw new PickleRefused(`has an entry ${i} of ${what} that is not a number`);
      return item;
    });
  }
  if (!isKind(value, "array")) throw new PickleRefused(`has no list ${what}`);
  const bytes = arrayBytes(value);
  const { code, bigEndian } = value.dtype!;
  const width = ITEM_BYTES[code]!;
  return Array.from({ length: bytes.length / width }, (_, i) =>
    readItem(bytes.subarray(i * width, (i + 1) * width), code, bigEndian),
  );
};

/**
 * A list, or an integer array, of `count` whole numbers from 0 to `below` - 1.
 *
 * @throws PickleRefused if `value` is something else
 */
export const wholeNumbers = (
  value: PickleValue | undefined,
  what: string,
  count: number,
  below: number,
): number[] => {
  const numbers = numbersOf(value, what);
  if (numbers.length !== count) {
    throw new PickleRefused(`has ${numbers.length} entries of ${what}, expected ${count}`);
  }
  const bad = numbers.findIndex((n) => !Number.isInteger(n) || n < 0 || n >= below);
  if (bad >= 0) {
    throw new PickleRefused(`has ${numbers[bad]} as entry ${bad} of ${what}, expected 0 to ${below - 1}`);
  }
  return numbers;
};
