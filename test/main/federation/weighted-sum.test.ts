import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "#contract/tensor.ts";
import { checkTensors } from "#main/federation/check-update.ts";
import { bigReader } from "#main/federation/elements.ts";
import { BLOCK } from "#main/federation/float-sums.ts";
import { createWeightedSum, type Weighted } from "#main/federation/weighted-sum.ts";
import { kernelBase64 } from "#main/federation/weighted-sum-wasm.ts";
import { assembleKernel } from "#test/setup/assemble-kernel.ts";
import { exactUnits, floats, nearestDouble, numbersOf, run, tensorOf } from "./helpers.ts";

const meanOf = (updates: readonly Weighted[], specs: readonly Tensor[]): Tensor[] => {
  const sum = createWeightedSum(specs);
  for (const update of updates) expect(run(sum.add([update]))).toEqual([{ ok: true, value: undefined }]);
  return run(sum.mean());
};

/** The specification, in whole numbers: nearest double of the sum, over the total, rounded to float32. */
const referenceMean = (updates: readonly Weighted[], element: number): number => {
  const sum = updates.reduce(
    (total, { tensors, weight }) => total + exactUnits(numbersOf(tensors[0]!)[element]!) * BigInt(weight),
    0n,
  );
  const total = updates.reduce((n, { weight }) => n + BigInt(weight), 0n);
  return Math.fround(nearestDouble(sum, 1n) / Number(total)) + 0;
};

const float32 = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1000, max: 1000 }).map((n) => Math.fround(n / 7)),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    2 ** -149,
    -(2 ** -149),
    2 ** 127,
    -(2 ** 127),
    3.4028234663852886e38,
    2 ** 60,
    1e-20,
  ),
  fc.tuple(fc.integer({ min: -149, max: 127 }), fc.boolean()).map(([e, minus]) => (minus ? -1 : 1) * 2 ** e),
);
const weight = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.integer({ min: 1, max: 2 ** 31 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);
const updates = fc.integer({ min: 1, max: 9 }).chain((length) =>
  fc.array(
    fc.record({
      values: fc.array(float32, { minLength: length, maxLength: length }),
      weight,
    }),
    { minLength: 1, maxLength: 8 },
  ),
);
const weighted = (list: readonly { values: readonly number[]; weight: number }[]): Weighted[] =>
  list.map((u) => ({ tensors: [floats(u.values)], weight: u.weight }));

describe("the weighted sum of float32", () => {
  it("is the exact sum's nearest double over the total weight, for any magnitudes and weights", () => {
    fc.assert(
      fc.property(updates, (list) => {
        const all = weighted(list);
        const mean = numbersOf(meanOf(all, all[0]!.tensors)[0]!);
        mean.forEach((value, i) => {
          expect(value + 0).toBe(referenceMean(all, i));
        });
      }),
      { numRuns: 400 },
    );
  });

  it("is bit-equal whatever the order, the grouping and the refused updates between", () => {
    fc.assert(
      fc.property(
        updates.chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray([...list.keys()], { minLength: list.length }),
            fc.integer({ min: 1, max: 3 }),
            fc.nat(list.length),
            fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
          ),
        ),
        ([list, order, group, badAt, badValue]) => {
          const all = weighted(list);
          const plain = meanOf(all, all[0]!.tensors)[0]!;
          const shuffled: Weighted[] = order.map((i) => all[i]!);
          const badValues = [...list[0]!.values];
          badValues[badValues.length - 1] = badValue;
          shuffled.splice(badAt, 0, { tensors: [floats(badValues)], weight: 12345 });
          const sum = createWeightedSum(all[0]!.tensors);
          const results = [];
          for (let i = 0; i < shuffled.length; i += group) {
            results.push(...run(sum.add(shuffled.slice(i, i + group))));
          }
          expect(results.filter((r) => !r.ok)).toHaveLength(1);
          expect(results[badAt]!.ok).toBe(false);
          expect(sum.count).toBe(list.length);
          expect([...run(sum.mean())[0]!.bytes]).toEqual([...plain.bytes]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("gives one client's weights back unchanged, and those of equal clients", () => {
    fc.assert(
      fc.property(fc.array(float32, { minLength: 1, maxLength: 20 }), weight, weight, (values, n, m) => {
        const one = { tensors: [floats(values)], weight: n };
        const expected = values.map((v) => Math.fround(v) + 0);
        expect(numbersOf(meanOf([one], one.tensors)[0]!)).toEqual(expected);
        expect(numbersOf(meanOf([one, { ...one, weight: m }], one.tensors)[0]!)).toEqual(expected);
      }),
    );
  });

  it("holds over block borders, with budgets that grow, and after a refusal in the last block", () => {
    const elements = 3 * BLOCK + 5;
    // Deterministic values over 20 octaves, so that both paths of the kernel see many of them.
    const column = (k: number): number[] =>
      Array.from({ length: elements }, (_, i) =>
        Math.fround(Math.sin(i * 12.9 + k) * 2 ** ((i * 7 + k) % 20)),
      );
    const weights = [3, 600, 70_000, 9_000_000, 2 ** 40];
    const all = weights.map((w, k): Weighted => ({ tensors: [floats(column(k))], weight: w }));
    const sum = createWeightedSum(all[0]!.tensors);
    const bad = column(9);
    bad[elements - 2] = Number.NaN;
    const results = run(sum.add([all[0]!, { tensors: [floats(bad)], weight: 77 }, all[1]!]));
    expect(results.map((r) => r.ok)).toEqual([true, false, true]);
    expect(results[1]).toMatchObject({
      failure: { code: "not-finite", cause: `tensor 0 holds NaN at element ${elements - 2}` },
    });
    for (const update of all.slice(2)) expect(run(sum.add([update]))[0]!.ok).toBe(true);
    const mean = numbersOf(run(sum.mean())[0]!);
    const backwards = numbersOf(meanOf([...all].reverse(), all[0]!.tensors)[0]!);
    expect(mean).toEqual(backwards);
    for (const i of [
      0,
      1,
      BLOCK - 1,
      BLOCK,
      2 * BLOCK - 1,
      2 * BLOCK,
      3 * BLOCK - 1,
      3 * BLOCK,
      elements - 2,
      elements - 1,
    ]) {
      expect(mean[i]! + 0).toBe(referenceMean(all, i));
    }
    // The memory of the round before leaves no trace.
    sum.reset();
    expect(run(sum.add([{ ...all[4]!, weight: 5 }]))[0]!.ok).toBe(true);
    expect(numbersOf(run(sum.mean())[0]!)).toEqual(column(4).map((v) => v + 0));
  });

  it("yields often: no more than about a million elements between two yields", () => {
    const elements = 4_000_000;
    const tensors = [tensorOf("float32", [elements], [])];
    const sum = createWeightedSum(tensors);
    const steps = (g: Generator<void, unknown>): number => {
      let n = 0;
      while (!g.next().done) n += 1;
      return n;
    };
    expect(steps(checkTensors(tensors, tensors))).toBeGreaterThanOrEqual(2);
    expect(steps(sum.add([{ tensors, weight: 1 }]))).toBeGreaterThanOrEqual(3);
    expect(steps(sum.mean())).toBeGreaterThanOrEqual(3);
  });
});

describe("the other dtypes", () => {
  it("keep float64 exact to the last bit, even near overflow and with cancellation", () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(double, fc.integer({ min: 1, max: 2 ** 40 })), { minLength: 1, maxLength: 6 }),
        (pairs) => {
          const all = pairs.map(
            ([v, w]): Weighted => ({ tensors: [tensorOf("float64", [], [v])], weight: w }),
          );
          const forward = numbersOf(meanOf(all, all[0]!.tensors)[0]!)[0]!;
          const backward = numbersOf(meanOf([...all].reverse(), all[0]!.tensors)[0]!)[0]!;
          expect(forward).toBe(backward);
          const sum = pairs.reduce((s, [v, w]) => s + exactUnits(v) * BigInt(w), 0n);
          const total = pairs.reduce((s, [, w]) => s + BigInt(w), 0n);
          const exact = nearestDouble(sum, total);
          expect(Math.abs(forward - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -51 + 2 ** -1074);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("round float16 once, from the sum", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -2047, max: 2047 }), fc.integer({ min: 1, max: 50 })), {
          minLength: 1,
          maxLength: 6,
        }),
        (pairs) => {
          const all = pairs.map(
            ([v, w]): Weighted => ({ tensors: [tensorOf("float16", [1], [v / 8])], weight: w }),
          );
          const total = pairs.reduce((s, [, w]) => s + w, 0);
          const exact = pairs.reduce((s, [v, w]) => s + v * w, 0) / 8 / total;
          expect(meanOf(all, all[0]!.tensors)[0]!.bytes).toEqual(tensorOf("float16", [1], [exact]).bytes);
        },
      ),
    );
  });

  it("keep integers integers, exact beyond 2^53, ties to even", () => {
    const mean = (dtype: "int64" | "uint64" | "int32" | "uint8", values: bigint[], weights: number[]) => {
      const all = values.map(
        (v, k): Weighted => ({ tensors: [tensorOf(dtype, [], [v])], weight: weights[k]! }),
      );
      const t = meanOf(all, all[0]!.tensors)[0]!;
      expect(t.dtype).toBe(dtype);
      return bigReader(dtype, t.bytes)(0);
    };
    expect(mean("int64", [157n, 160n], [35_000, 15_000])).toBe(158n);
    expect(mean("int64", [1n, 2n], [1, 1])).toBe(2n);
    expect(mean("int64", [2n, 3n], [1, 1])).toBe(2n);
    expect(mean("int64", [-1n, -2n], [1, 1])).toBe(-2n);
    expect(mean("int64", [2n ** 62n + 1n, 2n ** 62n + 3n], [7, 7])).toBe(2n ** 62n + 2n);
    expect(mean("uint64", [2n ** 64n - 1n, 2n ** 64n - 1n], [2 ** 50, 1])).toBe(2n ** 64n - 1n);
    expect(mean("int64", [-(2n ** 63n)], [Number.MAX_SAFE_INTEGER])).toBe(-(2n ** 63n));
    expect(mean("int32", [-7n, 2n], [2 ** 40, 2 ** 40])).toBe(-2n);
    expect(mean("uint8", [255n, 0n], [3, 1])).toBe(191n);
  });

  it("take a bool by majority of weight, a tie as false", () => {
    const mean = (weights: [number, number]) =>
      meanOf(
        [
          { tensors: [tensorOf("bool", [1], [1])], weight: weights[0] },
          { tensors: [tensorOf("bool", [1], [0])], weight: weights[1] },
        ],
        [tensorOf("bool", [1], [0])],
      )[0]!.bytes[0];
    expect(mean([3, 2])).toBe(1);
    expect(mean([2, 2])).toBe(0);
    expect(mean([2, 3])).toBe(0);
  });
});

describe("the check of an update", () => {
  const specs = [
    { name: "conv1.weight", dtype: "float32", shape: [2, 3] },
    { name: "bn1.num_batches_tracked", dtype: "int64", shape: [] },
  ] as const;
  const good = [tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6]), tensorOf("int64", [], [5n])];
  const refusal = (tensors: readonly Tensor[]) => {
    const sum = createWeightedSum(specs);
    const checked = run(checkTensors(specs, tensors));
    expect(run(sum.add([{ tensors, weight: 1 }]))[0]).toEqual(checked);
    expect(sum.count).toBe(checked.ok ? 1 : 0);
    return checked.ok ? undefined : checked.failure;
  };

  it("takes what was asked for, and (1,) for a 0-dimensional array", () => {
    expect(refusal(good)).toBeUndefined();
    expect(refusal([good[0]!, tensorOf("int64", [1], [5n])])).toBeUndefined();
  });

  it("names the tensor and what is wrong with it", () => {
    expect(refusal([good[0]!])).toEqual({
      code: "count-mismatch",
      cause: "it sent 1 tensor; expected 2",
    });
    expect(refusal([tensorOf("float64", [2, 3], [1, 2, 3, 4, 5, 6]), good[1]!])).toEqual({
      code: "dtype-mismatch",
      cause: "tensor 0 (conv1.weight) is float64; expected float32",
    });
    expect(refusal([tensorOf("float32", [3, 2], [1, 2, 3, 4, 5, 6]), good[1]!])).toEqual({
      code: "shape-mismatch",
      cause: "tensor 0 (conv1.weight) is float32 (3, 2); expected float32 (2, 3)",
    });
    expect(refusal([{ ...good[0]!, bytes: new Uint8Array(20) }, good[1]!])).toEqual({
      code: "bad-tensor",
      cause: "tensor 0 (conv1.weight) has 20 bytes; its shape needs 24",
    });
    expect(refusal([tensorOf("float32", [2, 3], [1, 2, 3, 4, -Infinity, 6]), good[1]!])).toEqual({
      code: "not-finite",
      cause: "tensor 0 (conv1.weight) holds -Infinity at element 4",
    });
  });

  it("looks into float16 and float64 too", () => {
    for (const dtype of ["float16", "float64"] as const) {
      const specs = [{ dtype, shape: [3] }];
      const good = [tensorOf(dtype, [3], [1, 2, 3])];
      const bad = [tensorOf(dtype, [3], [1, 2, Number.NaN])];
      const refusal = { failure: { code: "not-finite", cause: "tensor 0 holds NaN at element 2" } };
      expect(run(checkTensors(specs, good)).ok).toBe(true);
      expect(run(checkTensors(specs, bad))).toMatchObject(refusal);
      const results = run(
        createWeightedSum(specs).add([bad, good].map((tensors) => ({ tensors, weight: 1 }))),
      );
      expect(results).toMatchObject([refusal, { ok: true }]);
    }
  });
});

describe("the kernel", () => {
  it("is what its source assembles to", async () => {
    expect(kernelBase64()).toBe(await assembleKernel());
  });
});
