/**
 * Sums of doubles that lose nothing, so that the order of the additions cannot show.
 *
 * Element i is kept as s[i] + e[i] + spill(i). An addition is Knuth's TwoSum: t = fl(s + x) and its exact rounding
 * error, a double. The error goes into e by a second TwoSum; what that one loses, which takes summands more than
 * about 2^50 apart, goes into a whole number of units of 2^-1074 (every double is one). So the three parts together
 * are the exact sum at every moment, whatever the order; and what is read out (`rounded`) is a function of the exact
 * sum alone: its nearest double. Only the split into parts depends on the order, and that is never read out.
 *
 * Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates" (1997), for TwoSum
 * and TwoProduct.
 */

export interface ExactSums {
  /** Adds a finite double. The sum of all sizes must stay below 2^1023. */
  add(i: number, x: number): void;
  /** Adds value · weight exactly; weight is a whole number from 1 to 2^53 - 1. */
  addProduct(i: number, value: number, weight: number): void;
  /** The double nearest to the exact sum divided by `divisor`, but for the last bit; ±Infinity never. */
  mean(i: number, divisor: number): number;
  /** The exact sum, where only whole numbers were added. */
  integer(i: number): bigint;
}

const SPLIT = 2 ** 27 + 1;
/** Values outside of these sizes could overflow or lose bits in TwoProduct. */
const LARGE = 2 ** 900;
const SMALL = 2 ** -900;
const UNIT = 2 ** -1074;

export const createExactSums = (count: number): ExactSums => {
  // Minus zero is the neutral element of floating-point addition: the sum of minus zeros stays one.
  const s = new Float64Array(count).fill(-0);
  const e = new Float64Array(count);
  const spill = createSpill();

  const add = (i: number, x: number): void => {
    const old = s[i]!;
    const sum = old + x;
    const part = sum - old;
    const error = old - (sum - part) + (x - part);
    s[i] = sum;
    if (error === 0) return;
    const oldError = e[i]!;
    const errors = oldError + error;
    const errorPart = errors - oldError;
    const lost = oldError - (errors - errorPart) + (error - errorPart);
    e[i] = errors;
    if (lost !== 0) spill.add(i, lost);
  };

  return {
    add,
    addProduct: (i, value, weight) => {
      const size = Math.abs(value);
      if (size !== 0 && (size >= LARGE || size < SMALL)) {
        spill.addUnits(i, toUnits(value) * BigInt(weight));
        return;
      }
      const product = value * weight;
      const a = value * SPLIT;
      const valueHigh = a - (a - value);
      const valueLow = value - valueHigh;
      const b = weight * SPLIT;
      const weightHigh = b - (b - weight);
      const weightLow = weight - weightHigh;
      const error =
        valueLow * weightLow -
        (product - valueHigh * weightHigh - valueLow * weightHigh - valueHigh * weightLow);
      add(i, product);
      if (error !== 0) add(i, error);
    },
    mean: (i, divisor) => meanOf(s[i]!, e[i]!, spill.units(i), divisor),
    integer: (i) => BigInt(s[i]!) + BigInt(e[i]!) + (spill.units(i) ?? 0n) / 2n ** 1074n,
  };
};

/** The third part of exact sums: few elements ever have one. */
export interface Spill {
  add(i: number, x: number): void;
  addUnits(i: number, units: bigint): void;
  /** In units of 2^-1074; undefined where nothing was added. */
  units(i: number): bigint | undefined;
  readonly indices: Iterable<number>;
  clear(): void;
}

export const createSpill = (): Spill => {
  const parts = new Map<number, bigint>();
  const addUnits = (i: number, units: bigint) => {
    parts.set(i, (parts.get(i) ?? 0n) + units);
  };
  return {
    addUnits,
    add: (i, x) => addUnits(i, toUnits(x)),
    units: (i) => parts.get(i),
    get indices() {
      return parts.keys();
    },
    clear: () => parts.clear(),
  };
};

/** Nearest double of the exact sum s + e + units · 2^-1074, divided by `divisor`. */
export const meanOf = (s: number, e: number, units: bigint | undefined, divisor: number): number => {
  if (units === undefined || units === 0n) return e === 0 ? s / divisor : (s + e) / divisor;
  const exact = toUnits(s) + toUnits(e) + units;
  // -0 + 0 = +0 wherever anything but minus zeros was added, and something was: units exist.
  const sum = fromUnits(exact);
  // A sum beyond the range of doubles is divided before it is rounded: the mean is in range.
  if (Number.isFinite(sum)) return sum / divisor;
  return (fromUnits(exact >> 64n) / divisor) * 2 ** 64;
};

/** A finite double as a whole number of units of 2^-1074. */
export const toUnits = (x: number): bigint => {
  const size = Math.abs(x);
  if (size === 0) return 0n;
  // Scale to a whole number below 2^53; every step is by an exact power of two.
  let exponent = 0;
  let scaled = size;
  while (scaled >= 2 ** 53) {
    scaled *= 2 ** -53;
    exponent += 53;
  }
  while (!Number.isInteger(scaled)) {
    scaled *= 2 ** 26;
    exponent -= 26;
  }
  // `scaled` may exceed 2^53 here only as an exact double, which BigInt takes exactly.
  const whole = BigInt(scaled);
  const shift = exponent + 1074;
  const units = shift >= 0 ? whole << BigInt(shift) : whole >> BigInt(-shift);
  return x < 0 ? -units : units;
};

/** The double nearest to `units` · 2^-1074, ties to even; infinite beyond the range. */
export const fromUnits = (units: bigint): number => {
  const size = units < 0n ? -units : units;
  const bits = size.toString(16).length * 4;
  let value: number;
  if (bits <= 1000) value = Number(size) * UNIT;
  else {
    // Keep the leading bits and whether anything follows them: that is all that rounding looks at.
    const shift = BigInt(bits - 512);
    const head = size >> shift;
    const sticky = head << shift === size ? 0n : 1n;
    value = Number(head | sticky) * 2 ** (bits - 512 - 1074);
  }
  return units < 0n ? -value : value;
};
