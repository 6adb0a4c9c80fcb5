/**
 * The running weighted sum of FedAvg (McMahan et al., AISTATS 2017): w = Σ n_k w_k / Σ n_k, one update at a time.
 *
 * Memory does not grow with the number of updates, and the mean is bit-equal whatever their order: products n · w are
 * exact (two doubles where one is too short), sums are exact (see exact-sums.ts), and what is emitted depends on the
 * exact sum only. For floats it is the double nearest to the sum, divided by the total weight, rounded to the dtype.
 */
import type { Result } from "#contract/failure.ts";
import { byteLength, elementCount, type Tensor } from "#contract/tensor.ts";
import { checkForm, notFinite, type TensorSpec } from "./check-update.ts";
import { bigReader, bigWriter, divideHalfEven, isFloat, numberReader, numberWriter } from "./elements.ts";
import { createExactSums, type ExactSums } from "./exact-sums.ts";
import type { Refusal } from "./strategy.ts";

export interface WeightedSum {
  /** Updates folded so far. */
  readonly count: number;
  /** Sum of their weights, exact. */
  readonly totalWeight: bigint;
  /** Count, dtypes, shapes, and every float finite; a refusal names the tensor. Changes nothing. */
  check(tensors: readonly Tensor[]): Generator<void, Result<void, Refusal>>;
  /**
   * Adds weight · tensors. The bytes are read where they are, at any alignment, and not kept.
   * @param tensors what `check` has passed.
   * @param weight a whole number from 1 to 2^53 - 1. @throws RangeError otherwise.
   */
  fold(tensors: readonly Tensor[], weight: number): Generator<void, void>;
  /**
   * The weighted mean in the specs' dtypes and shapes: floats rounded once from double; integers to the nearest,
   * ties to even, exact beyond 2^53; bool true where the trues weigh more than the falses.
   * @throws RangeError when nothing was folded.
   */
  mean(): Generator<void, Tensor[]>;
}

/** Elements that the plain path handles in about a millisecond. */
const SLICE = 32_768;

export const createWeightedSum = (specs: readonly TensorSpec[]): WeightedSum => {
  let count = 0;
  let totalWeight = 0n;
  const sums = specs.map((spec): ExactSums => createExactSums(elementCount(spec.shape)));

  function* check(tensors: readonly Tensor[]): Generator<void, Result<void, Refusal>> {
    const form = checkForm(specs, tensors);
    if (!form.ok) return form;
    let work = 0;
    for (const [index, spec] of specs.entries()) {
      if (!isFloat(spec.dtype)) continue;
      const read = numberReader(spec.dtype, tensors[index]!.bytes);
      const elements = elementCount(spec.shape);
      for (let i = 0; i < elements; i += 1) {
        const value = read(i);
        if (!Number.isFinite(value)) return notFinite(index, spec, i, value);
        work += 1;
        if (work % SLICE === 0) yield;
      }
    }
    return { ok: true, value: undefined };
  }

  function* fold(tensors: readonly Tensor[], weight: number): Generator<void, void> {
    if (!Number.isSafeInteger(weight) || weight < 1) {
      throw new RangeError(`a weight must be a whole number from 1 on, got ${weight}`);
    }
    count += 1;
    totalWeight += BigInt(weight);
    let work = 0;
    for (const [index, spec] of specs.entries()) {
      const sum = sums[index]!;
      const { bytes } = tensors[index]!;
      const elements = elementCount(spec.shape);
      const wide = spec.dtype === "int64" || spec.dtype === "uint64";
      const big = wide ? bigReader(spec.dtype, bytes) : undefined;
      const read = wide ? undefined : numberReader(spec.dtype, bytes);
      for (let i = 0; i < elements; i += 1) {
        if (read !== undefined) sum.addProduct(i, read(i), weight);
        else {
          const value = big!(i);
          const high = value >> 32n;
          sum.addProduct(i, Number(high) * 4_294_967_296, weight);
          sum.addProduct(i, Number(value - (high << 32n)), weight);
        }
        work += 1;
        if (work % SLICE === 0) yield;
      }
    }
  }

  function* mean(): Generator<void, Tensor[]> {
    if (count === 0) throw new RangeError("a weighted mean needs at least one update");
    const divisor = Number(totalWeight);
    const tensors: Tensor[] = [];
    let work = 0;
    for (const [index, spec] of specs.entries()) {
      const { dtype, shape } = spec;
      const bytes = new Uint8Array(byteLength(dtype, shape));
      const sum = sums[index]!;
      const elements = elementCount(shape);
      const write = isFloat(dtype) ? numberWriter(dtype, bytes) : undefined;
      const writeBig = write === undefined ? bigWriter(dtype, bytes) : undefined;
      for (let i = 0; i < elements; i += 1) {
        if (write !== undefined) write(i, sum.mean(i, divisor));
        else if (dtype === "bool") writeBig!(i, 2n * sum.integer(i) > totalWeight ? 1n : 0n);
        else writeBig!(i, divideHalfEven(sum.integer(i), totalWeight));
        work += 1;
        if (work % SLICE === 0) yield;
      }
      tensors.push({ dtype, shape, bytes });
    }
    return tensors;
  }

  return {
    get count() {
      return count;
    },
    get totalWeight() {
      return totalWeight;
    },
    check,
    fold,
    mean,
  };
};
