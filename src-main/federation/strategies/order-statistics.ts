/**
 * What the coordinate median and the trimmed mean share: both need all values of a coordinate at once, so the updates
 * of a round are copied and kept until it ends. Memory grows with the number of updates; that is inherent. Updates are
 * unweighted, as in the literature: an examples count is a claim that a hostile client could inflate.
 */
import type { Result } from "#contract/failure.ts";
import { byteLength, elementCount, type ParameterSpec, type Tensor } from "#contract/tensor.ts";
import { checkTensors } from "#main/federation/check-update.ts";
import { bigReader, bigWriter, isFloat, numberReader, numberWriter } from "#main/federation/elements.ts";
import {
  checkExamples,
  NO_UPDATES,
  type Refusal,
  type Strategy,
  type Update,
} from "#main/federation/strategy.ts";

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
    const updates: Kept[] = [];
    function* take({ device, tensors, examples }: Update): Generator<void, Result<void, Refusal>> {
      const counted = checkExamples(examples);
      if (!counted.ok) return counted;
      const checked = yield* checkTensors(specs, tensors);
      if (checked.ok) updates.push({ device, tensors: yield* copiesOf(tensors) });
      return checked;
    }
    return {
      // There is nothing to allocate ahead: the memory is that of the updates themselves.
      *prepare() {},
      *take(incoming) {
        const results: Result<void, Refusal>[] = [];
        for (const update of incoming) results.push(yield* take(update));
        return results;
      },
      *finish() {
        if (updates.length === 0) return NO_UPDATES;
        // Sorting compares -0 and 0 as equal: a fixed order of devices makes even their order definite.
        updates.sort((a, b) => (a.device < b.device ? -1 : a.device > b.device ? 1 : 0));
        const result: Tensor[] = [];
        for (const [index, spec] of specs.entries()) {
          const columns = updates.map((u) => u.tensors[index]!);
          result.push(
            yield* isFloat(spec.dtype)
              ? combineFloats(spec, columns, statistic)
              : combineIntegers(spec, columns, statistic),
          );
        }
        return { ok: true, value: { tensors: result, state: [...state] } };
      },
    };
  },
});

/** Comparisons that sorting the values of one coordinate takes, roughly. */
const sortingWork = (values: number): number => values * (4 + Math.log2(values));

function* combineFloats(
  { dtype, shape }: ParameterSpec,
  columns: readonly Uint8Array[],
  statistic: OrderStatistic,
): Generator<void, Tensor> {
  const bytes = new Uint8Array(byteLength(dtype, shape));
  const elements = elementCount(shape);
  const readers = columns.map((column) => numberReader(dtype, column));
  const write = numberWriter(dtype, bytes);
  const values = new Float64Array(columns.length);
  const slice = Math.ceil(SLICE / sortingWork(columns.length));
  for (let i = 0; i < elements; i += 1) {
    for (let k = 0; k < readers.length; k += 1) values[k] = readers[k]!(i);
    sortAscending(values);
    write(i, statistic.floats(values));
    if (i % slice === slice - 1) yield;
  }
  return { dtype, shape, bytes };
}

function* combineIntegers(
  { dtype, shape }: ParameterSpec,
  columns: readonly Uint8Array[],
  statistic: OrderStatistic,
): Generator<void, Tensor> {
  const bytes = new Uint8Array(byteLength(dtype, shape));
  const elements = elementCount(shape);
  const readers = columns.map((column) => bigReader(dtype, column));
  const write = bigWriter(dtype, bytes);
  // Big integers take about eight times as long.
  const slice = Math.ceil(SLICE / (8 * sortingWork(columns.length)));
  for (let i = 0; i < elements; i += 1) {
    const values = readers.map((read) => read(i)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    write(i, statistic.integers(values));
    if (i % slice === slice - 1) yield;
  }
  return { dtype, shape, bytes };
}

function* copiesOf(tensors: readonly Tensor[]): Generator<void, Uint8Array[]> {
  const copies: Uint8Array[] = [];
  for (const { bytes } of tensors) {
    const copy = new Uint8Array(bytes.byteLength);
    for (let from = 0; from < bytes.byteLength; from += COPY_SLICE) {
      copy.set(bytes.subarray(from, from + COPY_SLICE), from);
      if (bytes.byteLength - from > COPY_SLICE) yield;
    }
    copies.push(copy);
  }
  return copies;
}

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
