import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGORITHM_NAMES, definitionOf } from "#contract/algorithms/algorithms.ts";
import { parseStudy, type Study } from "#contract/study.ts";
import type { NamedTensor, ParameterSpec, Tensor } from "#contract/tensor.ts";
import { algorithmOf } from "#main/federation/algorithms.ts";
import { createFedAdam } from "#main/federation/strategies/fedadam.ts";
import { createFedAvg } from "#main/federation/strategies/fedavg.ts";
import { createFedAvgM } from "#main/federation/strategies/fedavgm.ts";
import { createFedExP } from "#main/federation/strategies/fedexp.ts";
import { createFedMedian } from "#main/federation/strategies/fedmedian.ts";
import { createFedTrimmedAvg } from "#main/federation/strategies/fedtrimmedavg.ts";
import { createFedYogi } from "#main/federation/strategies/fedyogi.ts";
import type { Strategy, Update } from "#main/federation/strategy.ts";
import { floats, numbersOf, run, spec, tensorOf } from "./helpers.ts";

interface Golden {
  shapes: number[][];
  updates: { examples: number; layers: number[][] }[];
  aggregate: number[][];
  float64_mean: number[][];
  median: number[][];
  trimmed: number[][];
}
const golden: Golden = JSON.parse(
  readFileSync(new URL("../../golden/federation.json", import.meta.url), "utf8"),
);

const strategies = (): Strategy[] => [
  createFedAvg(),
  createFedAvgM({ momentum: 0.7, serverLr: 1 }),
  createFedAdam({ serverLr: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 }),
  createFedYogi({ serverLr: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }),
  createFedExP({ epsilon: 0.001 }),
  createFedMedian(),
  createFedTrimmedAvg({ beta: 0.2 }),
];

const round = (
  strategy: Strategy,
  specs: readonly ParameterSpec[],
  global: readonly Tensor[],
  updates: readonly Update[],
  state: readonly NamedTensor[] = strategy.initialState(specs),
) => {
  const aggregation = strategy.begin({ specs, global, state });
  for (const update of updates) {
    expect(run(aggregation.take([update]))).toEqual([{ ok: true, value: undefined }]);
  }
  const finished = run(aggregation.finish());
  if (!finished.ok) throw new Error(finished.failure.cause);
  return finished.value;
};

const update = (device: string, examples: number, ...tensors: Tensor[]): Update => ({
  device,
  examples,
  tensors,
});

describe("against flwr 1.11.1 and numpy", () => {
  const specs = golden.shapes.map((shape, i) => spec(`layer${i}.weight`, shape));
  const updates = golden.updates.map(({ examples, layers }, k) =>
    update(`d${k}`, examples, ...layers.map((v, i) => tensorOf("float32", golden.shapes[i]!, v))),
  );
  const global = golden.shapes.map((shape) => tensorOf("float32", shape, []));

  it("FedAvg is numpy's weighted mean to float32 rounding", () => {
    const { tensors } = round(createFedAvg(), specs, global, updates);
    tensors.forEach((t, i) => {
      expect(t.shape).toEqual(golden.shapes[i]);
      numbersOf(t).forEach((value, e) => {
        const theirs = golden.aggregate[i]![e]!;
        // Their float32 sums round at every step, relative to the largest summand.
        expect(Math.abs(value - theirs)).toBeLessThanOrEqual(1e-5 * Math.abs(theirs) + 1e-6);
        expect(value).toBe(Math.fround(golden.float64_mean[i]![e]!));
      });
    });
  });

  it("the median and the trimmed mean are flwr's", () => {
    const median = round(createFedMedian(), specs, global, updates).tensors;
    const trimmed = round(createFedTrimmedAvg({ beta: 0.34 }), specs, global, updates).tensors;
    median.forEach((t, i) => {
      expect(numbersOf(t)).toEqual(golden.median[i]!.map(Math.fround));
    });
    trimmed.forEach((t, i) => {
      numbersOf(t).forEach((value, e) => {
        expect(value).toBeCloseTo(golden.trimmed[i]![e]!, 5);
      });
    });
  });
});

describe("golden steps", () => {
  const specs = [spec("w", [1])];
  const one = (strategy: Strategy) =>
    numbersOf(round(strategy, specs, [floats([1])], [update("a", 5, floats([1.5]))]).tensors[0]!)[0]!;

  it("FedAvg: [1, 2, 3] of 3 and [3, 2, -1] of 1", () => {
    const wide = [spec("w", [3])];
    const updates = [update("a", 3, floats([1, 2, 3])), update("b", 1, floats([3, 2, -1]))];
    expect(numbersOf(round(createFedAvg(), wide, [floats([0, 0, 0])], updates).tensors[0]!)).toEqual([
      1.5, 2, 2,
    ]);
  });

  it("first round from 1 to a mean of 1.5", () => {
    expect(one(createFedAdam({ serverLr: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 }))).toBeCloseTo(
      1.07279018,
      7,
    );
    expect(one(createFedYogi({ serverLr: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }))).toBeCloseTo(
      1.00980392,
      7,
    );
    expect(one(createFedAvgM({ momentum: 0.7, serverLr: 1 }))).toBe(1.5);
  });

  it("momentum and moments go on in the next round", () => {
    const next = (strategy: Strategy): number => {
      const first = round(strategy, specs, [floats([1])], [update("a", 5, floats([1.5]))]);
      const second = round(
        strategy,
        specs,
        first.tensors,
        [update("a", 5, floats([2]))],
        [...first.state].reverse(),
      );
      return numbersOf(second.tensors[0]!)[0]!;
    };
    // v = 0.7 · -0.5 + (1.5 - 2) = -0.85
    expect(next(createFedAvgM({ momentum: 0.7, serverLr: 1 }))).toBeCloseTo(2.35, 6);
    const g = 1.07279018;
    const d = 2 - g;
    const m = 0.9 * 0.05 + 0.1 * d;
    const v = 0.99 * 0.0025 + 0.01 * d * d;
    const rate = (0.1 * Math.sqrt(1 - 0.99 ** 3)) / (1 - 0.9 ** 3);
    expect(next(createFedAdam({ serverLr: 0.1, beta1: 0.9, beta2: 0.99, tau: 1e-3 }))).toBeCloseTo(
      g + (rate * m) / (Math.sqrt(v) + 1e-3),
      6,
    );
    const g2 = 1.00980392;
    const d2 = 2 - g2;
    const v2 = 0.0025 + 0.01 * d2 * d2;
    expect(next(createFedYogi({ serverLr: 0.01, beta1: 0.9, beta2: 0.99, tau: 1e-3 }))).toBeCloseTo(
      g2 + (0.01 * (0.9 * 0.05 + 0.1 * d2)) / (Math.sqrt(v2) + 1e-3),
      6,
    );
  });

  it("median of an even count, trimmed mean, both unweighted", () => {
    const updates = [7, 1, 100, 3].map((v, k) => update(`d${k}`, 10 ** k, floats([v])));
    expect(numbersOf(round(createFedMedian(), specs, [floats([0])], updates).tensors[0]!)).toEqual([5]);
    expect(
      numbersOf(round(createFedTrimmedAvg({ beta: 0.25 }), specs, [floats([0])], updates).tensors[0]!),
    ).toEqual([5]);
    const many = Array.from({ length: 40 }, (_, k) => update(`d${k}`, 1, floats([(k * 17) % 40])));
    expect(numbersOf(round(createFedMedian(), specs, [floats([0])], many).tensors[0]!)).toEqual([19.5]);
    const counters = [5n, 9n, 6n].map((v, k) => update(`d${k}`, 1, tensorOf("int64", [], [v])));
    const counter = [spec("n", [], "buffer", "int64")];
    const zero = [tensorOf("int64", [], [0n])];
    expect(round(createFedMedian(), counter, zero, counters).tensors[0]).toEqual(
      expect.objectContaining({ dtype: "int64", bytes: Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0) }),
    );
  });
});

describe("every strategy", () => {
  const specs = [
    spec("conv.weight", [2, 3]),
    spec("bn.running_var", [2], "buffer"),
    spec("bn.num_batches_tracked", [], "buffer", "int64"),
  ];
  const values = fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 8, maxLength: 8 });
  const someUpdates = fc
    .array(fc.tuple(values, fc.integer({ min: 1, max: 5000 })), { minLength: 1, maxLength: 6 })
    .map((list) =>
      list.map(([v, n], k) =>
        update(
          `device-${k}`,
          n,
          tensorOf("float32", [2, 3], v.slice(0, 6)),
          floats(v.slice(6)),
          tensorOf("int64", [], [BigInt(n)]),
        ),
      ),
    );
  const global = [
    tensorOf("float32", [2, 3], [1, 2, 3, 4, 5, 6]),
    floats([1, 1]),
    tensorOf("int64", [], [3n]),
  ];
  const bytesOf = (result: { tensors: Tensor[]; state: NamedTensor[] }) =>
    [...result.tensors, ...result.state].map((t) => [...t.bytes]);

  it("gives the same to the bit whatever the order of arrival, one by one or together", () => {
    fc.assert(
      fc.property(
        someUpdates.chain((u) => fc.tuple(fc.constant(u), fc.shuffledSubarray(u, { minLength: u.length }))),
        ([updates, shuffled]) => {
          for (const strategy of strategies()) {
            const expected = bytesOf(round(strategy, specs, global, updates));
            expect(bytesOf(round(strategy, specs, global, shuffled))).toEqual(expected);
            const aggregation = strategy.begin({ specs, global, state: strategy.initialState(specs) });
            for (let i = 0; i < shuffled.length; i += 3) {
              const results = run(aggregation.take(shuffled.slice(i, i + 3)));
              expect(results.every((r) => r.ok)).toBe(true);
            }
            const finished = run(aggregation.finish());
            expect(finished.ok && bytesOf(finished.value)).toEqual(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("averages buffers plainly: a running variance never leaves the clients' range", () => {
    const updates = [
      update("a", 1, global[0]!, floats([1e-7, 4]), tensorOf("int64", [], [10n])),
      update("b", 3, global[0]!, floats([2e-7, 8]), tensorOf("int64", [], [20n])),
    ];
    for (const strategy of strategies().slice(0, 5)) {
      let state = strategy.initialState(specs);
      for (let i = 0; i < 5; i += 1) {
        const result = round(strategy, specs, global, updates, state);
        state = result.state;
        expect(numbersOf(result.tensors[1]!)).toEqual([Math.fround(1.75e-7), 7]);
        expect(new DataView(result.tensors[2]!.bytes.buffer).getBigInt64(0, true)).toBe(18n);
      }
      expect(state.every((t) => !t.name.includes("bn."))).toBe(true);
    }
  });

  it("refuses bad updates with a reason, alone and among good ones, and goes on", () => {
    const good = update("a", 2, ...global);
    const noExamples = [0, -1, 1.5, Number.NaN, 2 ** 53].map((n) => update("b", n, ...global));
    const nan = update(
      "c",
      2,
      tensorOf("float32", [2, 3], [1, 2, Number.NaN, 4, 5, 6]),
      global[1]!,
      global[2]!,
    );
    for (const strategy of strategies()) {
      const aggregation = strategy.begin({ specs, global, state: strategy.initialState(specs) });
      for (const bad of noExamples) {
        expect(run(aggregation.take([bad]))).toMatchObject([{ failure: { code: "no-examples" } }]);
      }
      expect(run(aggregation.take([nan]))).toMatchObject([
        { failure: { code: "not-finite", cause: "tensor 0 (conv.weight) holds NaN at element 2" } },
      ]);
      const results = run(aggregation.take([noExamples[0]!, good, nan]));
      expect(results.map((r) => (r.ok ? "ok" : r.failure.code))).toEqual(["no-examples", "ok", "not-finite"]);
      const finished = run(aggregation.finish());
      const alone = round(strategy, specs, global, [good]);
      expect(finished.ok && bytesOf(finished.value)).toEqual(bytesOf(alone));
    }
  });

  it("has a failure for a round without updates, and its next round is a fresh one", () => {
    for (const strategy of strategies()) {
      const aggregation = strategy.begin({ specs, global, state: strategy.initialState(specs) });
      expect(run(aggregation.finish())).toMatchObject({ ok: false, failure: { code: "too-few-updates" } });
      const result = round(strategy, specs, global, [update("a", 7, ...global)]);
      expect(numbersOf(result.tensors[1]!)).toEqual([1, 1]);
    }
  });

  it("never hands out what is not finite", () => {
    const strategy = createFedAvgM({ momentum: 0, serverLr: 1e30 });
    const wide = [spec("w", [1])];
    const aggregation = strategy.begin({
      specs: wide,
      global: [floats([1e20])],
      state: strategy.initialState(wide),
    });
    expect(run(aggregation.take([update("a", 1, floats([-1e20]))]))).toMatchObject([{ ok: true }]);
    expect(run(aggregation.finish())).toMatchObject({ ok: false, failure: { code: "diverged" } });
  });
});

describe("algorithmOf", () => {
  const parsed = parseStudy({
    name: "t",
    dataset: "d",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { virtual: 2 },
    rounds: 1,
    optimizer: { lr: 0.1 },
    fedprox: { mu: 0.5 },
    fedntd: { tau: 3, beta: 2, tauSquared: false },
  });
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  const study: Study = parsed.study;
  const net = ["conv1.weight", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"].map((name, i) => ({
    ...spec(name, name.endsWith("bias") ? [10] : i === 0 ? [6, 3, 5, 5] : [10, 84]),
    part: name.startsWith("fc3") ? ("head" as const) : ("features" as const),
  }));

  it("knows every algorithm of the contract, with its paper", () => {
    for (const name of ALGORITHM_NAMES) {
      expect(algorithmOf(name, study).name).toBe(name);
      expect(definitionOf(name).paper).toMatch(/\d{4}$/);
    }
    expect(algorithmOf("fedprox", study).loss).toEqual({ kind: "prox", mu: 0.5 });
    expect(algorithmOf("fedntd", study).loss).toEqual({ kind: "ntd", tau: 3, beta: 2, tauSquared: false });
    expect(algorithmOf("fedadam", study).strategy.name).toBe("fedadam");
    expect(algorithmOf("fedavg", study).loss).toEqual({ kind: "ce" });
  });

  it("FedPer keeps the model's head, everything else keeps nothing", () => {
    for (const name of ALGORITHM_NAMES) {
      const { keeps } = algorithmOf(name, study);
      expect(net.filter((s) => keeps(s)).map((s) => s.name)).toEqual(
        name === "fedper" ? ["fc3.weight", "fc3.bias"] : [],
      );
    }
  });

  it("FedPer cannot tell the head of a model whose parameters a client brought", () => {
    const { keeps } = algorithmOf("fedper", study);
    expect(() => keeps(spec("parameter-0", [10, 84]))).toThrow(
      /nothing says which part parameter-0 belongs to/,
    );
  });
});
