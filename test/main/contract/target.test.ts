import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { METRICS, metricOf } from "#contract/metrics.ts";
import { parseStudy, type StudyInput } from "#contract/study.ts";
import { meets, readTarget, unmeetable } from "#contract/target.ts";

describe("a target", () => {
  test.each([
    ["accuracy >= 0.9", { metric: "accuracy", comparison: ">=", value: 0.9 }],
    ["accuracy >= .9", { metric: "accuracy", comparison: ">=", value: 0.9 }],
    ["  loss<=3e-1 ", { metric: "loss", comparison: "<=", value: 0.3 }],
    ["rank-1>=0.5", { metric: "rank-1", comparison: ">=", value: 0.5 }],
    ["mAP@0.5 >= 1.", { metric: "mAP@0.5", comparison: ">=", value: 1 }],
    ["margin >= -2", { metric: "margin", comparison: ">=", value: -2 }],
  ] as const)("is read from %j", (text, target) => expect(readTarget(text)).toEqual(target));

  test.each([
    "",
    "accuracy",
    ">= .9",
    "accuracy = 1",
    "accuracy > 0.9",
    "accuracy >= ",
    "accuracy >= high",
    "accuracy >= 0.9 %",
    "accuracy >= 1e999",
    "accuracy >= .",
    "1st >= 0.9",
    "two words >= 0.9",
  ])("is not %j", (text) => expect(readTarget(text)).toBeUndefined());

  test("is met from its own side, ends included", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (wanted, value) => {
        expect(meets({ metric: "x", comparison: ">=", value: wanted }, value)).toBe(value >= wanted);
        expect(meets({ metric: "x", comparison: "<=", value: wanted }, value)).toBe(value <= wanted);
      }),
    );
    expect(meets(readTarget("x >= 0.5")!, Number.NaN)).toBe(false);
  });
});

test("a target outside the metric's range can never be met, and percent are explained", () => {
  const why = (text: string) => {
    const target = readTarget(text)!;
    return unmeetable(target, metricOf(target.metric));
  };
  expect(why("accuracy >= 90")).toBe(
    "accuracy lies between 0 and 1, so this target can never be met; 90 % is accuracy >= 0.9",
  );
  expect(why("accuracy >= 101")).toBe("accuracy lies between 0 and 1, so this target can never be met");
  expect(why("accuracy <= -0.1")).toBe("accuracy lies between 0 and 1, so this target can never be met");
  expect(["accuracy >= 1", "accuracy <= 0", "accuracy >= -1", "loss <= -5", "rank10 >= 90"].map(why)).toEqual(
    Array(5).fill(undefined),
  );
  expect(METRICS.accuracy.range).toEqual([0, 1]);
});

describe("a study's target", () => {
  const own: StudyInput = {
    name: "t",
    dataset: "fashion-mnist-sample",
    model: "Net",
    algorithms: ["fedavg"],
    fleet: { virtual: 2 },
    rounds: 3,
    optimizer: { lr: 0.05 },
  };
  const foreign: StudyInput = {
    ...own,
    dataset: "on-clients",
    fleet: { external: 2 },
    evaluation: { central: false, federated: true },
  };
  const problems = (study: StudyInput, target: string) => {
    const parsed = parseStudy({ ...study, stop: { target } });
    return parsed.ok ? [] : parsed.problems;
  };

  test("may be a metric of its task", () => {
    expect(problems(own, "accuracy >= .9")).toEqual([]);
    expect(problems(own, "loss <= 0.3")).toEqual([]);
    expect(problems(own, "accuracy >= 90")).toEqual([
      { path: "stop.target", message: expect.stringContaining("can never be met") },
    ]);
  });

  test("may be a metric that clients report only where foreign clients take part", () => {
    expect(problems(own, "rank10 >= 0.4")).toEqual([
      {
        path: "stop.target",
        message: "no device of this study measures rank10; choose one of accuracy, loss",
      },
    ]);
    expect(problems(foreign, "rank10 >= 0.4")).toEqual([]);
    expect(problems({ ...own, fleet: { virtual: 2, external: 1 } }, "rank10 >= 0.4")).toEqual([]);
    expect(problems({ ...own, metrics: { rank10: {} } }, "rank10 >= 0.4")).toEqual([]);
  });

  test("may not be called like a part of every object", () => {
    expect(problems(own, "constructor >= 1")).toHaveLength(1);
  });
});
