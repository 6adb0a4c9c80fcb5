import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ParameterSpec, Tensor } from "#contract/tensor.ts";
import { createFedAvg } from "#main/federation/strategies/fedavg.ts";
import { createFedExP } from "#main/federation/strategies/fedexp.ts";
import type { Strategy, Update } from "#main/federation/strategy.ts";
import { floats, numbersOf, run, spec, tensorOf } from "./helpers.ts";

interface Golden {
  shapes: number[][];
  fedexp: {
    global: number[][];
    updates: { examples: number; layers: number[][] }[];
    buffers: number[];
    rounds: { epsilon: number; serverStep: number; aggregate: number[][] }[];
  };
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../golden/federation.json", import.meta.url), "utf8"),
);

const finish = (
  strategy: Strategy,
  specs: readonly ParameterSpec[],
  global: readonly Tensor[],
  updates: readonly Update[],
  together = 1,
) => {
  const aggregation = strategy.begin({ specs, global, state: strategy.initialState(specs) });
  for (let i = 0; i < updates.length; i += together) {
    const group = updates.slice(i, i + together);
    expect(run(aggregation.take(group))).toEqual(group.map(() => ({ ok: true, value: undefined })));
  }
  return run(aggregation.finish());
};

const aggregate = (...args: Parameters<typeof finish>) => {
  const finished = finish(...args);
  if (!finished.ok) throw new Error(finished.failure.cause);
  return finished.value;
};

const updatesOf = (list: readonly (readonly number[])[], examples: (k: number) => number): Update[] =>
  list.map((values, k) => ({ device: `d${k}`, examples: examples(k), tensors: [floats(values)] }));

const value = fc.float({ noNaN: true, min: -1000, max: 1000 });
const vector = fc.array(value, { minLength: 6, maxLength: 6 });
const examples = fc.integer({ min: 1, max: 5000 });
const specs = [spec("w", [6])];

describe("FedExP", () => {
  it("agrees with the paper's formula in numpy float64", () => {
    const { shapes, fedexp } = golden;
    const layers = shapes.map((shape, i) =>
      spec(`layer${i}`, shape, fedexp.buffers.includes(i) ? "buffer" : "trainable"),
    );
    const tensors = (values: readonly number[][]) => values.map((v, i) => tensorOf("float32", shapes[i]!, v));
    const updates = fedexp.updates.map((u, k) => ({
      device: `d${k}`,
      examples: u.examples,
      tensors: tensors(u.layers),
    }));
    expect(fedexp.rounds.map((r) => r.serverStep > 1)).toEqual([true, true, true, false]);
    for (const theirs of fedexp.rounds) {
      const ours = aggregate(createFedExP(theirs), layers, tensors(fedexp.global), updates, 3);
      // The mean is rounded to float32 before the step: 2^-24 of values up to 3, against ‖D‖ of about 0.15.
      expect(ours.notes?.serverStep).toBeCloseTo(theirs.serverStep, 5);
      ours.tensors.forEach((tensor, i) => {
        numbersOf(tensor).forEach((value, e) => {
          expect(Math.abs(value - theirs.aggregate[i]![e]!)).toBeLessThan(2e-6);
        });
      });
    }
  });

  it("gives the same to the bit whatever the order of arrival, one by one or together", () => {
    const rounds = fc.array(fc.tuple(vector, examples), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        vector,
        rounds.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray([...list.keys()], { minLength: list.length })),
        ),
        fc.integer({ min: 1, max: 3 }),
        (start, [list, order], together) => {
          const updates = updatesOf(
            list.map(([v]) => v),
            (k) => list[k]![1],
          );
          const strategy = createFedExP({ epsilon: 0.001 });
          const expected = aggregate(strategy, specs, [floats(start)], updates);
          const shuffled = order.map((k) => updates[k]!);
          const result = aggregate(strategy, specs, [floats(start)], shuffled, together);
          expect(result.notes).toEqual(expected.notes);
          expect([...result.tensors[0]!.bytes]).toEqual([...expected.tensors[0]!.bytes]);
        },
      ),
    );
  });

  it("is FedAvg to the bit for one client, and for clients that agree", () => {
    fc.assert(
      fc.property(vector, vector, fc.integer({ min: 1, max: 5 }), examples, (start, end, clients, n) => {
        const updates = updatesOf(
          Array.from({ length: clients }, () => end),
          (k) => n + k,
        );
        const ours = aggregate(createFedExP({ epsilon: 0.001 }), specs, [floats(start)], updates);
        const fedavg = aggregate(createFedAvg(), specs, [floats(start)], updates);
        expect(ours.notes).toEqual({ serverStep: 1 });
        expect([...ours.tensors[0]!.bytes]).toEqual([...fedavg.tensors[0]!.bytes]);
      }),
    );
  });

  it("steps half the number of clients where their updates are orthogonal", () => {
    for (const clients of [3, 4, 6]) {
      const axes = Array.from({ length: clients }, (_, k) =>
        Array.from({ length: 6 }, (_, i) => (i === k ? 8 : 0)),
      );
      const { tensors, notes } = aggregate(
        createFedExP({ epsilon: 0 }),
        specs,
        [floats([0, 0, 0, 0, 0, 0])],
        updatesOf(axes, () => 100),
      );
      expect(notes?.serverStep).toBeCloseTo(clients / 2, 6);
      // η / M of each client's 8.
      expect(numbersOf(tensors[0]!).slice(0, clients)).toEqual(Array.from({ length: clients }, () => 4));
    }
  });

  it("moves no buffer past the mean, and no buffer changes the step", () => {
    const withBuffer = [spec("w", [2]), spec("bn.running_var", [2], "buffer")];
    const updates: Update[] = [
      { device: "a", examples: 1, tensors: [floats([1, 0]), floats([1e4, 2])] },
      { device: "b", examples: 1, tensors: [floats([0, 1]), floats([0, 4])] },
      { device: "c", examples: 2, tensors: [floats([-1, -1]), floats([0, 1])] },
    ];
    const { tensors, notes } = aggregate(
      createFedExP({ epsilon: 0.001 }),
      withBuffer,
      [floats([0, 0]), floats([1, 1])],
      updates,
    );
    // Σ p ‖D_i‖² = 1.5, ‖D‖² = 2 · 0.25²
    expect(notes?.serverStep).toBeCloseTo(1.5 / (2 * 0.126), 6);
    expect(numbersOf(tensors[1]!)).toEqual([2500, 2]);
  });

  it("leaves out a refused update altogether", () => {
    const good = updatesOf(
      [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
      ],
      () => 7,
    );
    const bad = { ...good[0]!, device: "bad", tensors: [floats([9, 9, 9, 9, 9, Number.NaN])] };
    const start = [floats([0, 0, 0, 0, 0, 0])];
    const strategy = createFedExP({ epsilon: 0.001 });
    const aggregation = strategy.begin({ specs, global: start, state: [] });
    const results = run(aggregation.take([good[0]!, bad, good[1]!]));
    expect(results.map((r) => r.ok)).toEqual([true, false, true]);
    expect(run(aggregation.take([good[2]!]))[0]!.ok).toBe(true);
    const finished = run(aggregation.finish());
    expect(finished).toEqual({ ok: true, value: aggregate(strategy, specs, start, good) });
  });

  it("yields while it measures an update and while it steps", () => {
    const elements = 1_000_000;
    const wide = [spec("w", [elements])];
    const tensor = (fill: number) => ({
      ...wide[0]!,
      bytes: new Uint8Array(new Float32Array(elements).fill(fill).buffer),
    });
    const steps = (generator: Generator<void, unknown>): number => {
      let n = 0;
      while (!generator.next().done) n += 1;
      return n;
    };
    const strategy = createFedExP({ epsilon: 0 });
    const aggregation = strategy.begin({ specs: wide, global: [tensor(0)], state: [] });
    for (const fill of [1, -0.5, -0.25]) {
      const update = { device: `d${fill}`, examples: 1, tensors: [tensor(fill)] };
      expect(steps(aggregation.take([update]))).toBeGreaterThanOrEqual(15);
    }
    expect(steps(aggregation.finish())).toBeGreaterThanOrEqual(100);
  });

  it("calls a step without bound diverged, and says what to change", () => {
    const opposite = updatesOf(
      [
        [1, 0, 0, 0, 0, 0],
        [-1, 0, 0, 0, 0, 0],
      ],
      () => 3,
    );
    const start = [floats([0, 0, 0, 0, 0, 0])];
    expect(finish(createFedExP({ epsilon: 0 }), specs, start, opposite)).toMatchObject({
      failure: { code: "diverged", cause: expect.stringMatching(/raise its epsilon/) },
    });
    const held = aggregate(createFedExP({ epsilon: 0.001 }), specs, start, opposite);
    expect(held.notes).toEqual({ serverStep: 500 });
    expect(numbersOf(held.tensors[0]!)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
