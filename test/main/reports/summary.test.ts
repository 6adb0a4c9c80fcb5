import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAt, spread, summarise } from "#main/reports/summary.ts";
import { originalTable, sampleInput, sampleRun } from "./samples.ts";

describe("spread", () => {
  test("numpy's mean and std(ddof=1)", () => {
    // numpy.mean, numpy.std(ddof=1) of [54.31, 58.84, 51.55]
    const { mean, deviation, n } = spread([54.31, 58.84, 51.55]);
    expect(mean).toBeCloseTo(54.9, 10);
    expect(deviation).toBeCloseTo(3.6806385315594388, 10);
    expect(n).toBe(3);
  });
  test("of one value has no deviation, of none no mean", () => {
    expect(spread([0.5, null])).toEqual({ mean: 0.5, deviation: null, n: 1 });
    expect(spread([null])).toEqual({ mean: null, deviation: null, n: 0 });
  });
  test("moves with its values and does not see their order", () => {
    const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(values, fc.double({ min: -1, max: 1, noNaN: true }), (list, shift) => {
        const a = spread(list);
        const b = spread(list.map((v) => v + shift).reverse());
        expect(b.mean! - a.mean!).toBeCloseTo(shift, 9);
        expect(b.deviation!).toBeCloseTo(a.deviation!, 9);
        expect(a.mean!).toBeGreaterThanOrEqual(Math.min(...list) - 1e-12);
        expect(a.mean!).toBeLessThanOrEqual(Math.max(...list) + 1e-12);
      }),
    );
  });
});

test("the original project's table: algorithms × trials, and the improvement of the second over the first", () => {
  const summary = summarise(originalTable());
  expect(summary.metric.id).toBe("accuracy");
  expect(summary.trials).toEqual([1, 2, 3]);
  expect(summary.rows.map((r) => r.algorithm)).toEqual(["fedavg", "fedntd"]);
  expect(summary.rows[0]!.cells.map((c) => c.value)).toEqual([0.5431, 0.5884, 0.5155]);
  expect(summary.rows[1]!.mean).toBeCloseTo(0.6546666667, 9);
  expect(summary.metric.chance).toBe(0.1);
  expect(summary.notes).toEqual([]);
  const [improvement, ...none] = summary.improvements;
  expect(none).toEqual([]);
  expect(improvement!.against).toBe("fedavg");
  // 12.41, 6.29, 13.00 as the original prints them; their mean and deviation by numpy
  expect(improvement!.cells.map((c) => Math.round(c.value! * 1e4))).toEqual([1241, 629, 1300]);
  expect(improvement!.mean).toBeCloseTo(0.1056666667, 9);
  expect(improvement!.deviation).toBeCloseTo(0.03715431782893255, 10);
});

test("more algorithms are each compared with the first", () => {
  const summary = summarise(
    sampleInput([
      sampleRun("fedavg", 1, [0.1, 0.2, 0.5]),
      sampleRun("fedprox", 1, [0.1, 0.2, 0.4]),
      sampleRun("fedntd", 1, [0.1, 0.2, 0.75]),
    ]),
  );
  expect(summary.improvements.map((r) => [r.algorithm, r.against, r.cells[0]!.value])).toEqual([
    ["fedprox", "fedavg", 0.4 - 0.5],
    ["fedntd", "fedavg", 0.25],
  ]);
});

test("an algorithm alone has no improvement, and trials are in order whatever the runs' order", () => {
  const summary = summarise(
    sampleInput([
      sampleRun("fedavg", 10, [0, 0, 0.1]),
      sampleRun("fedavg", 2, [0, 0, 0.2]),
      sampleRun("fedavg", 1, [0, 0, 0.3]),
    ]),
  );
  expect(summary.improvements).toEqual([]);
  expect(summary.trials).toEqual([1, 2, 10]);
  expect(summary.rows[0]!.cells.map((c) => c.value)).toEqual([0.3, 0.2, 0.1]);
});

describe("which figure", () => {
  const run = sampleRun("fedavg", 1, [0.1, 0.9, 0.3, 0.4, 0.5, 0.6, 0.7]);
  const withFirst = {
    ...run,
    rounds: [{ round: 0, metrics: { accuracy: 0.99, loss: 0.01 } }, ...run.rounds],
  };
  const of = (at: Parameters<typeof summarise>[1]) => summarise(sampleInput([withFirst], { rounds: 7 }), at);
  test("last", () => expect(of("last").rows[0]!.mean).toBe(0.7));
  test("best, with a word about the test set; the first weights do not count", () => {
    expect(of("best").rows[0]!.mean).toBe(0.9);
    expect(of("best").notes.join()).toMatch(/chosen on the test set/);
    expect(of("last").notes).toEqual([]);
  });
  test("last five", () => expect(of("last5").rows[0]!.mean).toBeCloseTo(0.5, 12));
  test("a round", () => {
    expect(of(3).rows[0]!.mean).toBe(0.3);
    expect(of(8).rows[0]!.mean).toBeNull();
    expect(of(8).notes).toEqual(["FedAvg, trial 1: has no round 8: done after round 7 of 7"]);
  });
  test("last five of three rounds says so", () => {
    const summary = summarise(sampleInput([sampleRun("fedavg", 1, [0.1, 0.2, 0.6])]), "last5");
    expect(summary.rows[0]!.mean).toBeCloseTo(0.3, 12);
    expect(summary.notes[0]).toMatch(/only 3 round/);
  });
  test("as the command line says it", () => {
    expect(["last", "best", "last5", "12"].map(parseAt)).toEqual(["last", "best", "last5", 12]);
    expect(["", "0", "-1", "1.5", "worst", "1e3"].map(parseAt)).toEqual(Array(6).fill(undefined));
  });
});

describe("honesty", () => {
  test("a run that did not finish has no figure, and a note says why", () => {
    const summary = summarise(
      sampleInput([
        sampleRun("fedavg", 1, [0.1, 0.2, 0.5]),
        sampleRun("fedntd", 1, [0.1, 0.9], "interrupted"),
        sampleRun("fedavg", 2, [], "waiting"),
        sampleRun("fedntd", 2, [0.1], "failed", "no update could be used"),
        sampleRun("fedavg", 3, [0.1, 0.2, 0.4]),
        sampleRun("fedntd", 3, [0.1, 0.2, 0.6]),
        sampleRun("fedavg", 4, [0.1, 0.2, 0.4]),
      ]),
    );
    expect(summary.rows[1]!.cells.map((c) => c.value)).toEqual([null, null, 0.6, null]);
    expect(summary.rows.map((r) => r.n)).toEqual([3, 1]);
    const [improvement] = summary.improvements;
    expect(improvement!.n).toBe(1);
    expect(improvement!.mean).toBeCloseTo(0.2, 12);
    expect(summary.notes).toEqual([
      "FedAvg, trial 2: waiting before its first round",
      "FedNTD, trial 1: interrupted after round 2 of 3",
      "FedNTD, trial 2: failed after round 1 of 3: no update could be used",
      "FedNTD, trial 4: no such run",
      "An improvement counts only the trials in which both algorithms have a figure.",
    ]);
  });
  test("an unfinished run does have the round that it had", () => {
    const summary = summarise(sampleInput([sampleRun("fedavg", 1, [0.1, 0.2], "interrupted")]), 2);
    expect(summary.rows[0]!.mean).toBe(0.2);
  });
  test("a run that ended early counts, with a note", () => {
    const run = sampleRun("fedavg", 1, [0.1, 0.95], "done", "accuracy >= 0.9 was reached");
    const summary = summarise(sampleInput([run]));
    expect(summary.rows[0]!.mean).toBe(0.95);
    expect(summary.notes).toEqual(["FedAvg, trial 1: ended after round 2 of 3: accuracy >= 0.9 was reached"]);
  });
  test("an accuracy that is null or not a number is no figure", () => {
    const summary = summarise(
      sampleInput([
        sampleRun("fedavg", 1, [0.1, 0.2, null]),
        sampleRun("fedavg", 2, [0.1, 0.2, Number.NaN]),
        sampleRun("fedavg", 3, [0.1, 0.2, 0.3]),
      ]),
    );
    expect(summary.rows[0]).toMatchObject({ n: 1, mean: 0.3 });
    expect(summary.notes).toHaveLength(2);
  });
  test("where only losses are known, lower is better", () => {
    const losses = (algorithm: string, values: number[]) => ({
      ...sampleRun(algorithm, 1, []),
      rounds: values.map((loss, i) => ({ round: i + 1, metrics: { loss, accuracy: null } })),
    });
    const runs = [losses("fedavg", [3, 1.5, 2]), losses("fedntd", [3, 2, 1.25])];
    const summary = summarise(sampleInput(runs));
    expect(summary).toMatchObject({ metric: { id: "loss", chance: null } });
    expect(summary.improvements[0]!.mean).toBe(0.75);
    expect(summarise(sampleInput(runs), "best").rows.map((r) => r.mean)).toEqual([1.5, 1.25]);
  });
  test("no chance level where the classes are not known", () => {
    expect(summarise(originalTable(0)).metric.chance).toBeNull();
  });
  test("two runs of one cell are a bug", () => {
    const run = sampleRun("fedavg", 1, [0.1]);
    expect(() => summarise(sampleInput([run, run]))).toThrow("two runs of fedavg, trial 1");
  });
  test("a study without runs is an empty table", () => {
    expect(summarise(sampleInput([]))).toMatchObject({ trials: [], rows: [], improvements: [] });
  });
});
