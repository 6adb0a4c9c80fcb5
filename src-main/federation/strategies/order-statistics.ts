/**
 * What the coordinate median and the trimmed mean share: both need all values of a coordinate at once, so the updates
 * of a round are copied and kept until it ends. Memory grows with the number of updates; that is inherent. Updates are
 * unweighted, as in the literature: an examples count is a claim that a hostile client could inflate.
 */
import type { Result } from "#contract/failure.ts";
import { byteLength, elementCount, type Tensor } from "#contract/tensor.ts";
import { bigReader, bigWriter, isFloat, numberReader, numberWriter } from "#main/federation/elements.ts";
import {
  checkExamples,
  NO_UPDATES,
  type Refusal,
  type Strategy,
  type Update,
} from "#main/federation/strategy.ts";
import { createWeightedSum } from "#main/federation/weighted-sum.ts";

/** How sorted values become one: floats as they are, integers and bools (0 or 1) exactly. */
export interface OrderStatistic {
  /** @param sorted ascending, at least one value; overwritten by the next coordinate. */
  floats(sorted: Float64Array): number;
  /** @param sorted ascending, at least one value. @returns a value between the first and the last. */
  integers(sorted: readonly bigint[]): bigint;
}

interface Kept {
  readonly device: string;
  readonly tensors: readonly Uint8Array[];
}

/** Comparisons that take about a millisecond. */
const SLICE = 65_536;
const COPY_SLICE = 1 << 21;

export const createOrderStatistic = (name: string, statistic: OrderStatistic): Strategy => ({
  name,
  initialState: () => [],
  begin: ({ specs, state }) => {
    // Never added to: it only checks, so its sums stay untouched memory.
    const checker = createWeightedSum(specs);
    const updates: Kept[] = [];
    function* check(tensors: readonly Tensor[], examples: number): Generator<void, Result<void, Refusal>> {
      const counted = checkExamples(examples);
      return counted.ok ? yield* checker.check(tensors) : counted;
    }
    function* fold({ device, tensors }: Update): Generator<void, void> {
      const copies: Uint8Array[] = [];
      for (const { bytes } of tensors) {
        const copy = new Uint8Array(bytes.byteLength);
        for (let from = 0; from < bytes.byteLength; from += COPY_SLICE) {
          copy.set(bytes.subarray(from, from + COPY_SLICE), from);
          if (bytes.byteLength - from > COPY_SLICE) yield;
        }
        copies.push(copy);
      }
      updates.push({ device, tensors: copies });
    }
    return {
      // There is nothing to make ready: the memory is that of the updates themselves.
      *prepare() {},
      check,
      fold,
      *take(incoming) {
        const results: Result<void, Refusal>[] = [];
        for (const update of incoming) {
          const result = yield* check(update.tensors, update.examples);
          if (result.ok) yield* fold(update);
          results.push(result);
        }
        return results;
      },
      *finish() {
        if (updates.length === 0) return NO_UPDATES;
        // Sorting compares -0 and 0 as equal: a fixed order of devices makes even their order definite.
        updates.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
        const perElement = updates.length * (4 + Math.log2(updates.length));
        const result: Tensor[] = [];
        let work = 0;
        for (const [index, { dtype, shape }] of specs.entries()) {
          const bytes = new Uint8Array(byteLength(dtype, shape));
          const elements = elementCount(shape);
          if (isFloat(dtype)) {
            const readers = updates.map((u) => numberReader(dtype, u.tensors[index]!));
            const write = numberWriter(dtype, bytes);
            const values = new Float64Array(updates.length);
            for (let i = 0; i < elements; i += 1) {
              for (let k = 0; k < readers.length; k += 1) values[k] = readers[k]!(i);
              sortAscending(values);
              write(i, statistic.floats(values));
              work += perElement;
              if (work > SLICE) {
                work = 0;
                yield;
              }
            }
          } else {
            const readers = updates.map((u) => bigReader(dtype, u.tensors[index]!));
            const write = bigWriter(dtype, bytes);
            for (let i = 0; i < elements; i += 1) {
              const values = readers.map((read) => read(i)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
              write(i, statistic.integers(values));
              work += 8 * perElement;
              if (work > SLICE) {
                work = 0;
                yield;
              }
            }
          }
          result.push({ dtype, shape, bytes });
        }
        return { ok: true, value: { tensors: result, state: [...state] } };
      },
    };
  },
});

/** Insertion sort for the usual handful of updates, the engine's own beyond. Both leave equal values in place. */
const sortAscending = (values: Float64Array): void => {
  if (values.length > 32) {
    values.sort();
    return;
  }
  for (let i = 1; i < values.length; i += 1) {
    const value = values[i]!;
    let j = i - 1;
    while (j >= 0 && values[j]! > value) {
      values[j + 1] = values[j]!;
      j -= 1;
    }
    values[j + 1] = value;
  }
};
