/** Single elements of tensors at any alignment, for the dtypes and the places where speed is no matter. */
import type { Dtype } from "#contract/tensor.ts";
import { halfToNumber, numberToHalf } from "./half.ts";

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Reads element i as a number; bool is 0 or 1.
 * @throws TypeError for int64 and uint64, which numbers cannot hold: see `bigReader`.
 */
export const numberReader = (dtype: Dtype, bytes: Uint8Array): ((i: number) => number) => {
  const view = viewOf(bytes);
  switch (dtype) {
    case "float16":
      return (i) => halfToNumber(view.getUint16(2 * i, true));
    case "float32":
      return (i) => view.getFloat32(4 * i, true);
    case "float64":
      return (i) => view.getFloat64(8 * i, true);
    case "int8":
      return (i) => view.getInt8(i);
    case "int16":
      return (i) => view.getInt16(2 * i, true);
    case "int32":
      return (i) => view.getInt32(4 * i, true);
    case "uint8":
      return (i) => bytes[i]!;
    case "uint16":
      return (i) => view.getUint16(2 * i, true);
    case "uint32":
      return (i) => view.getUint32(4 * i, true);
    case "bool":
      return (i) => (bytes[i] === 0 ? 0 : 1);
    default:
      throw new TypeError(`${dtype} does not fit a number`);
  }
};

/** Writes element i, which the caller has rounded to what the dtype can hold. */
export const numberWriter = (dtype: Dtype, bytes: Uint8Array): ((i: number, value: number) => void) => {
  const view = viewOf(bytes);
  switch (dtype) {
    case "float16":
      return (i, v) => view.setUint16(2 * i, numberToHalf(v), true);
    case "float32":
      return (i, v) => view.setFloat32(4 * i, v, true);
    case "float64":
      return (i, v) => view.setFloat64(8 * i, v, true);
    case "int16":
    case "uint16":
      return (i, v) => view.setUint16(2 * i, v, true);
    case "int32":
    case "uint32":
      return (i, v) => view.setUint32(4 * i, v, true);
    case "int8":
    case "uint8":
    case "bool":
      return (i, v) => view.setUint8(i, v);
    default:
      throw new TypeError(`${dtype} does not fit a number`);
  }
};

/** Reads element i of an integer or bool tensor exactly. */
export const bigReader = (dtype: Dtype, bytes: Uint8Array): ((i: number) => bigint) => {
  const view = viewOf(bytes);
  if (dtype === "int64") return (i) => view.getBigInt64(8 * i, true);
  if (dtype === "uint64") return (i) => view.getBigUint64(8 * i, true);
  const read = numberReader(dtype, bytes);
  return (i) => BigInt(read(i));
};

/** Writes element i of an integer tensor; the value fits the dtype. */
export const bigWriter = (dtype: Dtype, bytes: Uint8Array): ((i: number, value: bigint) => void) => {
  const view = viewOf(bytes);
  if (dtype === "int64" || dtype === "uint64")
    return (i, v) => view.setBigInt64(8 * i, BigInt.asIntN(64, v), true);
  const write = numberWriter(dtype, bytes);
  return (i, v) => write(i, Number(v));
};

export const isFloat = (dtype: Dtype): boolean => dtype.startsWith("float");

/** numerator / denominator, to the nearest whole number, ties to even; the denominator is positive. */
export const divideHalfEven = (numerator: bigint, denominator: bigint): bigint => {
  let quotient = numerator / denominator;
  let rest = numerator - quotient * denominator;
  if (rest < 0n) {
    quotient -= 1n;
    rest += denominator;
  }
  const twice = 2n * rest;
  if (twice > denominator || (twice === denominator && quotient % 2n !== 0n)) quotient += 1n;
  return quotient;
};
