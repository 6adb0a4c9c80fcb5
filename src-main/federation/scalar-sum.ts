/**
 * Exact weighted sums of one float64, integer or bool tensor, element by element. Models hold few of these (counters
 * of BatchNorm, mostly), so this is written to be plain, not fast.
 */
import { elementCount } from "#contract/tensor.ts";
import type { TensorSpec } from "./check-update.ts";
import { bigReader, bigWriter, divideHalfEven, numberReader, numberWriter } from "./elements.ts";
import { createExactSums } from "./exact-sums.ts";

export interface ScalarSum {
  /** Adds weight · tensor; the values are finite. */
  add(bytes: Uint8Array, weight: number): Generator<void, void>;
  /** Writes the weighted mean. */
  mean(totalWeight: bigint, bytes: Uint8Array): Generator<void, void>;
}

/** Elements that take about a millisecond. */
const SLICE = 8192;
const TWO_32 = 4_294_967_296;

export const createScalarSum = ({ dtype, shape }: TensorSpec): ScalarSum => {
  const elements = elementCount(shape);
  const sums = createExactSums(elements);
  const wide = dtype === "int64" || dtype === "uint64";
  return {
    *add(bytes, weight) {
      const addElement = wide
        ? (() => {
            // Numbers hold 53 bits: the two halves of a 64-bit integer are added one after the other.
            const read = bigReader(dtype, bytes);
            return (i: number) => {
              const value = read(i);
              const high = value >> 32n;
              sums.addProduct(i, Number(high) * TWO_32, weight);
              sums.addProduct(i, Number(value - (high << 32n)), weight);
            };
          })()
        : (() => {
            const read = numberReader(dtype, bytes);
            return (i: number) => sums.addProduct(i, read(i), weight);
          })();
      for (let i = 0; i < elements; i += 1) {
        addElement(i);
        if (i % SLICE === SLICE - 1) yield;
      }
    },
    *mean(totalWeight, bytes) {
      if (dtype === "float64") {
        const write = numberWriter(dtype, bytes);
        const divisor = Number(totalWeight);
        for (let i = 0; i < elements; i += 1) {
          // Adding 0 makes a minus zero plain, as the other float dtypes have it.
          write(i, sums.mean(i, divisor) + 0);
          if (i % SLICE === SLICE - 1) yield;
        }
        return;
      }
      const write = bigWriter(dtype, bytes);
      for (let i = 0; i < elements; i += 1) {
        const sum = sums.integer(i);
        if (dtype === "bool") write(i, 2n * sum > totalWeight ? 1n : 0n);
        else write(i, divideHalfEven(sum, totalWeight));
        if (i % SLICE === SLICE - 1) yield;
      }
    },
  };
};
