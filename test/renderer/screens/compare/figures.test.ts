import { describe, expect, it } from "vitest";
import { metricOf } from "#contract/metrics.ts";
import type { Comparison, StudyRow } from "#contract/views.ts";
import { layOut } from "#main/reports/layout.ts";
import { type ReportRun, tabulate } from "#main/reports/summary.ts";
import {
  bestKey,
  difference,
  figure,
  limitsOf,
  sentenceOf,
  spread,
  titleOf,
  toneOf,
  verdictOf,
} from "#renderer/screens/compare/figures.ts";

const runOf = (
  algorithm: string,
  trial: number,
  values: readonly (number | null)[],
  isLoss: boolean,
): ReportRun => ({
  algorithm,
  trial,
  seed: trial,
  status: "done",
  rounds: values.map((value, i) => ({
    round: i + 1,
    metrics: { accuracy: isLoss ? null : value, loss: isLoss ? value : null },
  })),
});

/** Figures that are easily rounded in another way than elsewhere. */
const AWKWARD = [0.285, 0.12345, 0.999949, 0.1, 1.005 / 100, 0.555555, 0, 1];

/** The lab's table, and the same as a page is given it. */
const tableOf = (isLoss: boolean) => {
  const rows = ["fedavg", "fedntd", "fedprox"].map((label, a) => ({
    label,
    title: label,
    planned: 1,
    runs: AWKWARD.map((value, i) => runOf(label, i + 1, [Math.min(1, value * (1 + a / 7))], isLoss)),
  }));
  const table = tabulate(rows, metricOf(isLoss ? "loss" : "accuracy", {}, 10), "last");
  const keyed = <T extends { readonly algorithm: string }>(row: T) => ({
    ...row,
    key: row.algorithm,
    label: row.algorithm,
    study: "s",
    studyName: "s",
  });
  const comparison: Comparison = {
    ...table,
    metrics: [table.metric],
    rows: table.rows.map(keyed),
    improvements: table.improvements.map(keyed),
    fair: true,
    fairness: [],
    differences: [],
    curves: [],
  };
  return { layout: layOut(table, ""), comparison };
};

const plainMinus = (text: string) => text.replaceAll("−", "-");

describe.each([false, true])("the table's figures (a loss: %s)", (isLoss) => {
  const { layout, comparison } = tableOf(isLoss);
  const { metric } = comparison;

  it("are those of the files, digit by digit", () => {
    const texts = comparison.rows.map((row) => [
      row.label,
      ...row.cells.map(({ value }) => figure(value, metric)),
      `${spread(row, metric)} (${row.n})`,
    ]);
    expect(texts).toEqual(layout.rows);
  });

  it("differ as in the files, digit by digit and with their signs", () => {
    const texts = comparison.improvements.map((row) =>
      [
        ...row.cells.map(({ value }) => difference(value, metric)),
        `${spread(row, metric, difference)} (${row.n})`,
      ].map(plainMinus),
    );
    expect(texts).toEqual(layout.footer.slice(0, texts.length).map(([, ...cells]) => cells));
  });

  it("have the same best row", () => {
    expect(layout.best).toBeDefined();
    expect(bestKey(comparison)).toBe(comparison.rows[layout.best!]?.key);
  });
});

describe("a difference", () => {
  it("that rounds to nothing is neither better nor worse", () => {
    expect(toneOf(0.00001, metricOf("accuracy"))).toBeUndefined();
    expect(toneOf(-0.00001, metricOf("accuracy"))).toBeUndefined();
    expect(toneOf(0.002, metricOf("accuracy"))).toBe("better");
    expect(toneOf(-0.002, metricOf("accuracy"))).toBe("worse");
    expect(toneOf(-0.002, metricOf("loss"))).toBe("worse");
    expect(toneOf(null, metricOf("loss"))).toBeUndefined();
  });
});

describe("the best row", () => {
  it("is none where the means are over unequally many trials, or equal", () => {
    const row = {
      key: "a",
      label: "a",
      study: "s",
      studyName: "s",
      algorithm: "a",
      cells: [],
      deviation: null,
    };
    const rows = (n: number, mean: number) => [
      { ...row, mean: 0.5, n: 3 },
      { ...row, key: "b", mean, n },
    ];
    expect(bestKey({ rows: rows(3, 0.6), metric: metricOf("accuracy") })).toBe("b");
    expect(bestKey({ rows: rows(3, 0.6), metric: metricOf("loss") })).toBe("a");
    expect(bestKey({ rows: rows(2, 0.6), metric: metricOf("accuracy") })).toBeUndefined();
    expect(bestKey({ rows: rows(3, 0.5), metric: metricOf("accuracy") })).toBeUndefined();
  });
});

describe("words", () => {
  it("of the title: algorithms against the first, or one algorithm in several studies", () => {
    const row = (algorithm: string, study: string) => ({
      ...{ key: `${study}/${algorithm}`, label: algorithm, algorithm, study, studyName: study.toUpperCase() },
      ...{ cells: [], mean: null, deviation: null, n: 0 },
    });
    expect(titleOf([row("fedavg", "a"), row("fedntd", "a")])).toBe("FedAvg vs. FedNTD");
    expect(titleOf([row("fedavg", "a"), row("fedavg", "b")])).toBe("FedAvg: A vs. B");
    expect(titleOf([row("fedavg", "a")])).toBe("FedAvg");
  });

  it("of the sentence: what is known of the studies, from the least to the most", () => {
    const row = (study: string, studyName: string) => ({
      ...{ key: study, label: study, algorithm: "fedavg", study, studyName },
      ...{ cells: [], mean: null, deviation: null, n: 0 },
    });
    const study = (id: string, fleetSize: number): StudyRow => ({
      ...{
        id,
        name: id,
        status: "done",
        createdAt: "",
        algorithms: [],
        dataset: "d",
        model: "m",
        rounds: 20,
      },
      ...{
        trials: 3,
        fleetSize,
        runs: 3,
        runsDone: 3,
        roundsDone: 60,
        metric: metricOf("accuracy"),
        results: [],
      },
    });
    const rows = [row("a", "first"), row("b", "x".repeat(200))];
    expect(sentenceOf({ rows, trials: [1, 2, 3] }, [study("a", 4), study("b", 10), study("c", 99)])).toBe(
      `first and ${"x".repeat(79)}… · 4 to 10 devices · 20 rounds · 3 trials`,
    );
    expect(sentenceOf({ rows: rows.slice(0, 1), trials: [1] }, [])).toBe("first · 1 trial");
  });

  it("warn of what is not shown", () => {
    const { comparison } = tableOf(false);
    const unmet = (about: "settings" | "trials") => ({
      ...comparison,
      fairness: [{ about, ok: false, text: "" }],
    });
    const fair = limitsOf(comparison).join(" ");
    expect(verdictOf(comparison)).toBe("fair");
    expect(fair).not.toMatch(/algorithm makes the difference|test set|better/);
    expect(verdictOf(unmet("settings"))).toBe("unfair");
    expect(limitsOf(unmet("settings")).join(" ")).toContain("algorithm makes the difference");
    expect(verdictOf(unmet("trials"))).toBe("incomplete");
    expect(limitsOf(unmet("trials")).join(" ")).toContain("not every row");
    expect(limitsOf({ ...comparison, at: "best" }).join(" ")).toContain("chosen with the test set");
    expect(verdictOf({ rows: comparison.rows.slice(0, 1), fairness: [] })).toBe("alone");
  });
});
