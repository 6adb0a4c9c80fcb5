/** What the tests of this room share. */
import { type Dtype, elementCount, type ParameterSpec, type Tensor } from "#contract/tensor.ts";
import { bigWriter, isFloat, numberReader, numberWriter } from "#main/federation/elements.ts";

/** Drives a generator to its end at once. */
export const run = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
};

/** A tensor around values, its bytes at an odd address. */
export const tensorOf = (
  dtype: Dtype,
  shape: readonly number[],
  values: readonly (number | bigint)[],
): Tensor => {
  const width = { float16: 2, float32: 4, float64: 8, int64: 8, uint64: 8, int32: 4, uint32: 4 }[
    dtype as string
  ];
  const size = (width ?? (dtype.endsWith("16") ? 2 : 1)) * elementCount(shape);
  const bytes = new Uint8Array(size + 1).subarray(1);
  if (isFloat(dtype)) {
    const write = numberWriter(dtype, bytes);
    values.forEach((v, i) => {
      write(i, Number(v));
    });
  } else {
    const write = bigWriter(dtype, bytes);
    values.forEach((v, i) => {
      write(i, BigInt(v));
    });
  }
  return { dtype, shape, bytes };
};

export const numbersOf = (t: Tensor): number[] => {
  const read = numberReader(t.dtype, t.bytes);
  return Array.from({ length: elementCount(t.shape) }, (_, i) => read(i));
};

export const floats = (values: readonly number[]): Tensor => tensorOf("float32", [values.length], values);

export const spec = (
  name: string,
  shape: readonly number[],
  kind: ParameterSpec["kind"] = "trainable",
  dtype: Dtype = "float32",
): ParameterSpec => ({ name, dtype, shape, kind });

/** A finite double as an exact fraction: numerator over 2^1074. */
export const exactUnits = (x: number): bigint => {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, x);
  const word = bits.getBigUint64(0);
  const exponent = Number((word >> 52n) & 2047n);
  const fraction = word & ((1n << 52n) - 1n);
  const size = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return word >> 63n ? -size : size;
};

/** The double nearest to numerator / denominator · 2^-1074, ties to even, found by bisection: slow and plain. */
export const nearestDouble = (numerator: bigint, denominator: bigint): number => {
  if (numerator < 0n) return -nearestDouble(-numerator, denominator);
  const view = new DataView(new ArrayBuffer(8));
  const double = (word: bigint): number => {
    view.setBigUint64(0, word);
    return view.getFloat64(0);
  };
  // Doubles that are not negative are ordered like their bit patterns.
  let low = 0n;
  let high = 0x7fefffffffffffffn;
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (exactUnits(double(middle)) * denominator <= numerator) low = middle;
    else high = middle - 1n;
  }
  const below = numerator - exactUnits(double(low)) * denominator;
  const above = exactUnits(double(low + 1n)) * denominator - numerator;
  return below < above || (below === above && low % 2n === 0n) ? double(low) : double(low + 1n);
};
