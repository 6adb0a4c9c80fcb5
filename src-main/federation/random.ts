/**
 * The lab's private random numbers. Every draw of a study comes from a generator of its own that is seeded from
 * the study's seed and the purpose of the draw, so no draw depends on how many were made before it elsewhere.
 *
 * Generator: xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47,
 * 2021), its four words of state filled by SplitMix32-style steps with MurmurHash3's finaliser (Steele, Lea &
 * Flood, OOPSLA 2014). All arithmetic is on uint32, so the sequence is the same on every machine and for ever:
 * tests pin values, and a change here would change every published run.
 */

export interface Random {
  /** The next 32 random bits, 0 … 2³² − 1. */
  uint32(): number;
  /** Uniform on [0, 1) with 53 random bits. */
  next(): number;
  /** Uniform on 0 … n − 1 without modulo bias. @throws RangeError unless n is an integer in 1 … 2³². */
  int(n: number): number;
  /** Standard normal. */
  normal(): number;
  /** Gamma with shape `shape` > 0 and scale 1. For tiny shapes it may underflow to 0: see `logGamma`. */
  gamma(shape: number): number;
  /** Natural logarithm of a Gamma(shape, 1) variate; finite even for shapes whose variates underflow. */
  logGamma(shape: number): number;
  /** Shuffles in place (Fisher–Yates, every permutation equally likely) and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(array: T): T;
}

/** MurmurHash3's 32-bit finaliser: a bijection on uint32 in which every input bit reaches every output bit. */
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * A generator for one purpose.
 * @param seed an integer; its low 32 bits count. Use `deriveSeed` to make one from names and numbers.
 */
export const createRandom = (seed: number): Random => {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed must be an integer, got ${seed}`);
  let counter = seed >>> 0;
  const fill = (): number => {
    counter = (counter + 0x9e3779b9) >>> 0;
    return mix(counter);
  };
  let a = fill() | 0;
  let b = fill() | 0;
  let c = fill() | 0;
  let d = fill() | 0;

  const uint32 = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };

  const next = (): number => {
    const high = uint32() >>> 5; // 27 bits
    const low = uint32() >>> 6; // 26 bits
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  };

  const int = (n: number): number => {
    if (!Number.isInteger(n) || n < 1 || n > 4_294_967_296) {
      throw new RangeError(`int needs an integer from 1 to 2^32, got ${n}`);
    }
    // Numbers from `limit` on would make the low residues likelier: draw again.
    const limit = 4_294_967_296 - (4_294_967_296 % n);
    let x = uint32();
    while (x >= limit) x = uint32();
    return x % n;
  };

  // Marsaglia's polar method; the second normal of each pair is dropped so that the generator has no hidden state.
  const normal = (): number => {
    for (;;) {
      const x = 2 * next() - 1;
      const y = 2 * next() - 1;
      const s = x * x + y * y;
      if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s);
    }
  };

  // Marsaglia & Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000. Shapes below 1 are
  // boosted: Gamma(a) = Gamma(a + 1) · U^(1/a), done in logarithms, where nothing underflows.
  const logGamma = (shape: number): number => {
    if (!(shape > 0) || shape === Number.POSITIVE_INFINITY) {
      throw new RangeError(`gamma needs a positive, finite shape, got ${shape}`);
    }
    if (shape < 1) {
      const boosted = logGamma(shape + 1);
      return boosted + Math.log(1 - next()) / shape;
    }
    const third = shape - 1 / 3;
    const scale = 1 / Math.sqrt(9 * third);
    for (;;) {
      const x = normal();
      const root = 1 + scale * x;
      if (root <= 0) continue;
      const v = root * root * root;
      const u = 1 - next();
      if (Math.log(u) < 0.5 * x * x + third - third * v + third * Math.log(v)) return Math.log(third * v);
    }
  };

  return {
    uint32,
    next,
    int,
    normal,
    logGamma,
    gamma: (shape) => Math.exp(logGamma(shape)),
    shuffle: (array) => {
      for (let i = array.length - 1; i > 0; i -= 1) {
        const j = int(i + 1);
        const held = array[i];
        (array as { [index: number]: unknown })[i] = array[j];
        (array as { [index: number]: unknown })[j] = held;
      }
      return array;
    },
  };
};

/**
 * A seed for one purpose, e.g. `deriveSeed(study.seed, "draw", round)`. Stable for ever and the same everywhere.
 *
 * Canonical form: per part the byte "n" or "s", then the UTF-8 bytes of its decimal form or of its text, then the
 * byte 0xff, which UTF-8 never contains; so no two lists of parts share a form. Hash: MurmurHash3-style mixing of
 * FNV-1a (32 bits) over those bytes.
 * @returns a uint32.
 * @throws RangeError for a number that is not finite.
 */
export const deriveSeed = (...parts: readonly (string | number)[]): number => {
  let hash = 0x811c9dc5;
  const feed = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const part of parts) {
    if (typeof part === "number" && !Number.isFinite(part)) {
      throw new RangeError(`a seed cannot be derived from ${part}`);
    }
    feed(typeof part === "number" ? 0x6e : 0x73);
    for (const byte of utf8(String(part))) feed(byte);
    feed(0xff);
  }
  return mix(hash);
};

/** UTF-8 by hand, because this room uses nothing of the host; a lone surrogate becomes U+FFFD. */
function* utf8(text: string): Generator<number> {
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) yield code;
    else if (code < 0x800) {
      yield 0xc0 | (code >> 6);
      yield 0x80 | (code & 63);
    } else if (code < 0x10000) {
      yield 0xe0 | (code >> 12);
      yield 0x80 | ((code >> 6) & 63);
      yield 0x80 | (code & 63);
    } else {
      yield 0xf0 | (code >> 18);
      yield 0x80 | ((code >> 12) & 63);
      yield 0x80 | ((code >> 6) & 63);
      yield 0x80 | (code & 63);
    }
  }
}
