import { expect, test } from "vitest";
import type { Curve } from "#contract/views.ts";
import { metricsOfStudy } from "#renderer/screens/study/study-series.ts";
import { sampleStudy } from "#test/main/store/samples.ts";

const study = sampleStudy({});
const curve = (metrics: Curve["metrics"]): Curve => ({
  run: "r",
  round: [0, 1],
  metrics,
  seconds: [0, 1],
  clients: [0, 2],
  failures: [0, 0],
});
const idsOf = (curves: readonly Curve[]) =>
  metricsOfStudy({ study, classes: [], curves }).map(({ id }) => id);

test("before the first value, a study offers every metric of its task", () => {
  expect(idsOf([])).toEqual(["accuracy", "loss"]);
  expect(idsOf([curve({ accuracy: [null, null], loss: [null, null] })])).toEqual(["accuracy", "loss"]);
});

test("then it offers those that were measured, its own first", () => {
  expect(idsOf([curve({ accuracy: [null, null], loss: [2.3, 1], rank10: [null, 0.4] })])).toEqual([
    "loss",
    "rank10",
  ]);
});
