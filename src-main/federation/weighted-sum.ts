/**
 * The running weighted sum of FedAvg (McMahan et al., AISTATS 2017): w = Σ n_k w_k / Σ n_k, one update at a time.
 *
 * Memory does not grow with the number of updates, and the mean is bit-equal whatever their order: products n · w are
 * exact (two doubles where one is too short), sums are exact (see float-sums.ts, exact-sums.ts), and what is emitted
 * depends on the exact sum only. For floats it is the double nearest to the sum, divided by the total weight, rounded
 * to the dtype; a sum of zeros is plus zero.
 */
import type { Result } from "#contract/failure.ts";
import { byteLength, elementCount, type Tensor } from "#contract/tensor.ts";
import { checkFinite, checkForm, notFinite, type TensorSpec } from "./check-update.ts";
import { numberReader } from "./elements.ts";
import { createFloatSums, type FloatSums } from "./float-sums.ts";
import { numberToHalf } from "./half.ts";
import { createScalarSum, type ScalarSum } from "./scalar-sum.ts";
import type { Refusal } from "./strategy.ts";

export interface Weighted {
  /** In the order of the specs, at any alignment. They are read while they are added, and not kept. */
  readonly tensors: readonly Tensor[];
  /** A whole number from 1 to 2^53 - 1. */
  readonly weight: number;
}

export interface WeightedSum {
  /** Updates in the sum. */
  readonly count: number;
  /** Sum of their weights, exact. */
  readonly totalWeight: bigint;
  /**
   * Makes the system hand out the memory of the sums, which costs as much as adding a few updates: worth doing while
   * the clients train. Optional; once begun it must be driven to its end before anything else.
   */
  prepare(): Generator<void, void>;
  /**
   * Checks updates (count, dtypes, shapes, every float finite) and adds them in one pass over each. Updates that wait
   * at the same time, up to three, share one pass over the sums. A refused update leaves no trace; the others are
   * added. Drive it to its end.
   * @returns one result per update, in their order; a refusal names the tensor.
   * @throws RangeError for a weight that is not a whole number from 1 on.
   */
  add(updates: readonly Weighted[]): Generator<void, Result<void, Refusal>[]>;
  /**
   * The weighted mean in the specs' dtypes and shapes: floats rounded once from double; integers to the nearest,
   * ties to even, exact beyond 2^53; bool true where the trues weigh more than the falses.
   * @throws RangeError when nothing was added.
   */
  mean(): Generator<void, Tensor[]>;
  /** Back to no updates; the memory is kept for the next round. */
  reset(): void;
}

/** Blocks that the fast path adds in about a millisecond. */
const BLOCKS = 48;
/** Fewer for the mean: a block whose elements must be looked at one by one takes that long by itself. */
const MEAN_BLOCKS = 4;

export const createWeightedSum = (specs: readonly TensorSpec[]): WeightedSum => {
  let count = 0;
  let totalWeight = 0n;
  const isFast = (spec: TensorSpec) => spec.dtype === "float32" || spec.dtype === "float16";
  const fast = [...specs.keys()].filter((i) => isFast(specs[i]!));
  const plain = [...specs.keys()].filter((i) => !isFast(specs[i]!));
  // Made when they are first needed, so that opening a round costs nothing.
  let floats: FloatSums | undefined;
  let scalars: ScalarSum[] | undefined;
  const floatSums = (): FloatSums => {
    floats ??= createFloatSums(fast.map((i) => elementCount(specs[i]!.shape)));
    return floats;
  };
  const scalarSums = (): ScalarSum[] => {
    scalars ??= plain.map((i) => createScalarSum(specs[i]!));
    return scalars;
  };

  /** Everything but the columns of the fast path, which are checked while they are added. */
  function* checkRest(tensors: readonly Tensor[]): Generator<void, Result<void, Refusal>> {
    const form = checkForm(specs, tensors);
    if (!form.ok) return form;
    for (const index of plain) {
      const finite = yield* checkFinite(index, specs[index]!, tensors[index]!);
      if (!finite.ok) return finite;
    }
    return form;
  }

  const refuseElement = (tensors: readonly Tensor[], index: number, element: number) =>
    notFinite(
      index,
      specs[index]!,
      element,
      numberReader(specs[index]!.dtype, tensors[index]!.bytes)(element),
    );

  function* add(updates: readonly Weighted[]): Generator<void, Result<void, Refusal>[]> {
    for (const { weight } of updates) {
      if (!Number.isSafeInteger(weight) || weight < 1) {
        throw new RangeError(`a weight must be a whole number from 1 on, got ${weight}`);
      }
    }
    const results: Result<void, Refusal>[] = [];
    for (const { tensors } of updates) results.push(yield* checkRest(tensors));
    const sums = floatSums();
    const going = new Set([...updates.keys()].filter((u) => results[u]!.ok));
    const announced = [...going].reduce((sum, u) => sum + BigInt(updates[u]!.weight), totalWeight);
    if (going.size > 0) yield* sums.reserve(Number(announced));
    let work = 0;
    for (let b = 0; b < sums.blocks.length && going.size > 0; b += 1) {
      const { column, from } = sums.blocks[b]!;
      const index = fast[column]!;
      const half = specs[index]!.dtype === "float16";
      for (const u of going) {
        const { tensors, weight } = updates[u]!;
        sums.stage(b, half, tensors[index]!.bytes);
        const bad = sums.add(b, weight);
        work += 1;
        if (bad < 0) continue;
        results[u] = refuseElement(tensors, index, from + bad);
        going.delete(u);
        yield* takeOut(updates[u]!, b);
      }
      if (work >= BLOCKS) {
        work = 0;
        yield;
      }
    }
    for (const u of going) {
      const { tensors, weight } = updates[u]!;
      for (const [i, index] of plain.entries()) yield* scalarSums()[i]!.add(tensors[index]!.bytes, weight);
      count += 1;
      totalWeight += BigInt(weight);
    }
    return results;
  }

  /** Takes the first blocks of an update out again. */
  function* takeOut({ tensors, weight }: Weighted, blocks: number): Generator<void, void> {
    const sums = floatSums();
    for (let b = 0; b < blocks; b += 1) {
      const index = fast[sums.blocks[b]!.column]!;
      sums.stage(b, specs[index]!.dtype === "float16", tensors[index]!.bytes);
      sums.takeOut(b, weight);
      if (b % BLOCKS === BLOCKS - 1) yield;
    }
  }

  function* mean(): Generator<void, Tensor[]> {
    if (count === 0) throw new RangeError("a weighted mean needs at least one update");
    const divisor = Number(totalWeight);
    const tensors = specs.map(
      ({ dtype, shape }): Tensor => ({ dtype, shape, bytes: new Uint8Array(byteLength(dtype, shape)) }),
    );
    const sums = floatSums();
    for (const [b, { column, from, elements }] of sums.blocks.entries()) {
      const { dtype, bytes } = tensors[fast[column]!]!;
      if (dtype === "float32") bytes.set(sums.mean(b, divisor), 4 * from);
      else {
        // From double straight to half: by way of float32 it could be rounded twice.
        const view = new DataView(bytes.buffer);
        for (let i = 0; i < elements; i += 1) {
          view.setUint16(2 * (from + i), numberToHalf(sums.meanAt(b, i, divisor)), true);
        }
      }
      if (b % MEAN_BLOCKS === MEAN_BLOCKS - 1) yield;
    }
    for (const [i, index] of plain.entries()) {
      yield* scalarSums()[i]!.mean(totalWeight, tensors[index]!.bytes);
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
    *prepare() {
      yield* floatSums().prepare();
    },
    add,
    mean,
    reset: () => {
      count = 0;
      totalWeight = 0n;
      floats?.reset();
      scalars = undefined;
    },
  };
};
