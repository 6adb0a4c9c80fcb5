/** IEEE 754 binary16, which JavaScript has no array type for everywhere that this code runs. */

/** The value of 16 bits; NaN and the infinities included. */
export const halfToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
};

/** The nearest half, ties to even; from 65520 on it is infinity. */
export const numberToHalf = (value: number): number => {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  // Below 2^-14 halves are spaced by 2^-24, above by 2^(exponent - 10); the scaling is exact.
  let exponent = -14;
  while (exponent < 15 && size >= 2 ** (exponent + 1)) exponent += 1;
  const steps = roundHalfEven(size * 2 ** (10 - exponent));
  // A carry out of the fraction runs into the exponent field, where it belongs.
  return sign | (steps < 1024 ? steps : ((exponent + 14) << 10) + steps);
};

/** The nearest whole number, ties to even. */
const roundHalfEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
};
