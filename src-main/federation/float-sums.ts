/**
 * Weighted sums of float32 and float16 columns, exact, at the speed of the memory: a WebAssembly SIMD kernel over
 * blocks of elements that are copied out of the message one at a time, while they are in the cache.
 *
 * Exactness, and so that the order of arrival cannot show. A float32 v is a whole multiple of its last place, so the
 * product n · v (n < 2^29, exact in double) is a multiple of 2^q if |v| ≥ T = 2^(q + 23). Each block has a q such that
 * total weight · U ≤ 2^(q + 53) for an upper bound U: sums of products with T ≤ |v| ≤ U are multiples of 2^q below
 * 2^(q + 53), which doubles hold exactly. That is the fast path, and its test (one comparison of bit patterns) also
 * catches infinities and NaN. The other elements, small or large ones, a few in ten thousand, go to a second double
 * by TwoSum, what that loses to a third, what that loses to whole numbers: nothing is ever dropped. Which parts hold
 * a sum depends on the order; their total does not, and the mean is computed from the double nearest to the total.
 * Zeros add nothing, so a sum of minus zeros is plus zero.
 *
 * Because sums are exact, an update can also be taken out again: add it with the negative weight.
 */
import { createSpill, fromUnits, toUnits } from "./exact-sums.ts";
import { halfToNumber } from "./half.ts";
import { instantiateKernel } from "./weighted-sum-wasm.ts";

/** Elements per block: 64 KiB of the message and 128 KiB of sums at a time, which the second-level cache holds. */
export const BLOCK = 16_384;
/** The budget of total weight, as an exponent, cannot leave a block any range beyond this one. */
const LAST_BUDGET = 29;
const INFINITE = 0x7f800000;
/** Blocks of fresh memory per slice. */
const TOUCHED_BLOCKS = 4;
/** Weights up to here make exact products. */
const EXACT_WEIGHT = 2 ** 29;
const SPLIT_WEIGHT = 2 ** 26;

export interface Block {
  readonly column: number;
  /** First element, within the column. */
  readonly from: number;
  readonly elements: number;
}

export interface FloatSums {
  readonly blocks: readonly Block[];
  /** Copies a block's elements from a column's bytes to the scratch, which `add` and `takeOut` then work on. */
  stage(block: number, half: boolean, bytes: Uint8Array): void;
  /** Makes the system hand out the memory of the sums, once; `reserve` does it otherwise. Drive it to its end before anything else. */
  prepare(): Generator<void, void>;
  /** Announces that weights up to this total will be in the sums; call it before `add`, drive it to its end. */
  reserve(totalWeight: number): Generator<void, void>;
  /**
   * Adds weight · staged block. @param weight whole, from 1 on.
   * @returns -1, or the index of the first infinity or NaN; the block is unchanged then.
   */
  add(block: number, weight: number): number;
  /** Takes weight · staged block out again. */
  takeOut(block: number, weight: number): void;
  /** The block's means as float32, a view that the next call overwrites. */
  mean(block: number, totalWeight: number): Uint8Array;
  /** One element's mean as a double. */
  meanAt(block: number, element: number, totalWeight: number): number;
  /** Back to no updates, with the same memory. */
  reset(): void;
}

/** @param lengths elements per column. */
export const createFloatSums = (lengths: readonly number[]): FloatSums => {
  const blocks = lengths.flatMap((length, column) =>
    Array.from({ length: Math.ceil(length / BLOCK) }, (_, i): Block => {
      const from = i * BLOCK;
      return { column, from, elements: Math.min(BLOCK, length - from) };
    }),
  );
  // Where things are in the kernel's memory, in bytes. Small blocks take little room: sums lie back to back.
  const zeros = 0;
  const scratch = zeros + BLOCK * 8;
  const spillAt = scratch + BLOCK * 4;
  const flagsAt = spillAt + (BLOCK + 1) * 16;
  const offsets = new Float64Array(blocks.length);
  let sumBytes = 0;
  blocks.forEach((block, b) => {
    offsets[b] = sumBytes;
    sumBytes += Math.ceil(block.elements / 8) * 64;
  });
  const firstAt = flagsAt + Math.ceil(blocks.length / 64) * 64;
  const secondAt = firstAt + sumBytes;
  const thirdAt = secondAt + sumBytes;
  // Pages that are never touched cost nothing: the third part is hardly ever real memory.
  const { kernel, memory } = instantiateKernel(thirdAt + sumBytes);
  const bytes = new Uint8Array(memory);
  const words = new DataView(memory);
  const flags = new Uint8Array(memory, flagsAt, blocks.length);
  const scratchBytes = new Uint8Array(memory, scratch, BLOCK * 4);
  const scratchFloats = new Float32Array(memory, scratch, BLOCK);

  const spill = createSpill();
  /** Per block: -2 not touched in this round, -1 zeros only so far, else the exponent field of its first peak. */
  const peaks = new Int16Array(blocks.length).fill(-2);
  let budget = 0;
  let touched = false;

  const padded = (b: number): number => Math.ceil(blocks[b]!.elements / 8) * 8;

  /** Bit patterns of T and U as the kernel wants them; a range that admits nothing if none is left. */
  const rangeOf = (b: number): { c: number; r: number } => {
    const peak = peaks[b]!;
    const low = Math.max((peak + budget - 28) * 2 ** 23, 1);
    const high = Math.min((peak + 2) * 2 ** 23 - 1, INFINITE - 1);
    if (low > high || budget > LAST_BUDGET) return { c: 0, r: -1 };
    return { c: (low + 2 ** 31) | 0, r: (high - low - 2 ** 31) | 0 };
  };

  /** @returns -1, or the index of the first infinity or NaN, before which everything is in. */
  const runKernel = (b: number, weight: number): number => {
    const { c, r } = rangeOf(b);
    const at = offsets[b]!;
    words.setInt32(spillAt, 0, true);
    const bad = kernel.fold(
      scratch,
      firstAt + at,
      secondAt + at,
      thirdAt + at,
      padded(b),
      weight,
      c,
      r,
      flagsAt + b,
      spillAt,
    );
    const spilled = words.getInt32(spillAt, true);
    for (let i = 1; i <= spilled; i += 1) {
      const entry = spillAt + i * 16;
      spill.add(b * BLOCK + words.getInt32(entry, true), words.getFloat64(entry + 8, true));
    }
    return bad;
  };

  const foldStaged = (b: number, weight: number): number => {
    if (Math.abs(weight) <= EXACT_WEIGHT) return runKernel(b, weight);
    const low = weight % SPLIT_WEIGHT;
    const bad = runKernel(b, weight - low);
    return bad < 0 && low !== 0 ? runKernel(b, low) : bad;
  };

  const part = (start: number, b: number): Float64Array =>
    new Float64Array(memory, start + offsets[b]!, padded(b));

  /** Adds x to the second and third part, as the kernel does. */
  const addLow = (b: number, i: number, x: number): void => {
    const at = offsets[b]! + i * 8;
    let rest = x;
    for (const [start, mark] of [
      [secondAt, 1],
      [thirdAt, 3],
    ] as const) {
      const old = words.getFloat64(start + at, true);
      const sum = old + rest;
      const piece = sum - old;
      rest = old - (sum - piece) + (rest - piece);
      words.setFloat64(start + at, sum, true);
      flags[b]! |= mark;
      if (rest === 0) return;
    }
    spill.add(b * BLOCK + i, rest);
  };

  const sumAt = (b: number, i: number): number => {
    if (peaks[b]! < 0) return 0;
    const at = offsets[b]! + i * 8;
    const s = words.getFloat64(firstAt + at, true);
    const flag = flags[b]!;
    const e = (flag & 1) === 0 ? 0 : words.getFloat64(secondAt + at, true);
    const f = (flag & 2) === 0 ? 0 : words.getFloat64(thirdAt + at, true);
    const units = spill.units(b * BLOCK + i);
    if (units === undefined) {
      if (f === 0) return s + e;
      // s + e is large + small to the last bit; if small + f has no error either, the rest rounds once.
      const large = s + e;
      const grown = large - s;
      const small = s - (large - grown) + (e - grown);
      const low = small + f;
      const part = low - small;
      if (small - (low - part) + (f - part) === 0) return large + low;
    }
    return fromUnits(toUnits(s) + toUnits(e) + toUnits(f) + (units ?? 0n));
  };

  /** Blocks with elements that `mean` must compute one by one. */
  const spilledBlocks = (): ReadonlySet<number> =>
    new Set(Array.from(spill.indices, (i) => Math.floor(i / BLOCK)));
  let spilledNow: ReadonlySet<number> | undefined;

  const firstNotFinite = (b: number): number => {
    if (kernel.peak(scratch, padded(b)) < INFINITE) return -1;
    return scratchFloats.findIndex((x) => !Number.isFinite(x));
  };

  function* prepare(): Generator<void, void> {
    if (touched) return;
    // The system takes its time to hand out pages, so they are asked for in slices. The second part is used here
    // and there by every update and all over after a rebase: it is made real at once, so that the memory that a
    // round takes does not depend on how many clients it has.
    touched = true;
    for (const b of blocks.keys()) {
      part(firstAt, b).fill(0);
      part(secondAt, b).fill(0);
      if (b % TOUCHED_BLOCKS === TOUCHED_BLOCKS - 1) yield;
    }
  }

  return {
    blocks,
    prepare,
    stage: (b, half, column) => {
      const { from, elements } = blocks[b]!;
      if (half) {
        for (let i = 0; i < elements; i += 1) {
          const at = 2 * (from + i);
          scratchFloats[i] = halfToNumber(column[at]! | (column[at + 1]! << 8));
        }
      } else scratchBytes.set(column.subarray(4 * from, 4 * (from + elements)));
      scratchFloats.fill(0, elements, padded(b));
    },
    *reserve(totalWeight) {
      yield* prepare();
      if (budget > 0 && totalWeight <= 2 ** budget) return;
      const first = budget === 0;
      // Room for 32 times as much: less would bring rounds of similar clients here often, more would narrow the range.
      budget = Math.max(10, Math.ceil(Math.log2(totalWeight)) + 5);
      if (first || budget > LAST_BUDGET) return;
      for (const b of blocks.keys()) {
        if (peaks[b]! < 0) continue;
        // Adding and subtracting 1.5 · 2^(52 + q) rounds to multiples of the new 2^q; the rest moves down.
        const grid = 1.5 * 2 ** (budget + peaks[b]! - 126);
        const sums = part(firstAt, b);
        for (let i = 0; i < sums.length; i += 1) {
          const old = sums[i]!;
          const kept = old + grid - grid;
          sums[i] = kept;
          if (kept !== old) addLow(b, i, old - kept);
        }
        yield;
      }
    },
    add: (b, weight) => {
      spilledNow = undefined;
      if (peaks[b]! < 0) {
        const peak = kernel.peak(scratch, padded(b));
        if (peak >= INFINITE) return firstNotFinite(b);
        if (peak === 0) {
          peaks[b] = -1;
          return -1;
        }
        part(firstAt, b).fill(0);
        if ((flags[b]! & 1) !== 0) part(secondAt, b).fill(0);
        if ((flags[b]! & 2) !== 0) part(thirdAt, b).fill(0);
        flags[b] = 0;
        peaks[b] = peak >>> 23;
      }
      // Of a weight in two parts only one would be in when a bad element shows, so it must be looked for first.
      const bad = weight > EXACT_WEIGHT ? firstNotFinite(b) : -1;
      if (bad >= 0) return bad;
      const index = foldStaged(b, weight);
      if (index < 0) return -1;
      // What came before the bad element is in: stage nothing but that, and take it out.
      scratchFloats.fill(0, index);
      foldStaged(b, -weight);
      return index;
    },
    takeOut: (b, weight) => {
      spilledNow = undefined;
      if (peaks[b]! >= 0) foldStaged(b, -weight);
    },
    mean: (b, totalWeight) => {
      const { elements } = blocks[b]!;
      const view = scratchBytes.subarray(0, 4 * elements);
      if (peaks[b]! < 0) return view.fill(0);
      const at = offsets[b]!;
      const second = (flags[b]! & 1) === 0 ? zeros : secondAt + at;
      kernel.mean(firstAt + at, second, padded(b), totalWeight, scratch);
      spilledNow ??= spilledBlocks();
      if ((flags[b]! & 2) !== 0 || spilledNow.has(b)) {
        for (let i = 0; i < elements; i += 1) scratchFloats[i] = sumAt(b, i) / totalWeight;
      }
      return view;
    },
    meanAt: (b, element, totalWeight) => sumAt(b, element) / totalWeight,
    reset: () => {
      peaks.fill(-2);
      spill.clear();
      spilledNow = undefined;
      budget = 0;
      bytes.fill(0, zeros, scratch);
    },
  };
};
