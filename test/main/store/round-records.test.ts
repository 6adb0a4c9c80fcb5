import { describe, expect, test } from "vitest";
import { toExactJson } from "#main/store/exact-json.ts";
import { readRecordedMetrics, readRoundRecord, toSummary } from "#main/store/round-records.ts";
import { sampleRound } from "./samples.ts";

const rest = {
  clients: ["a"],
  drawn: ["a", "b"],
  failures: [],
  examples: 60,
  weightsSha256: "ab",
  startedAt: "2026-01-02T03:04:05.678Z",
  seconds: 1.5,
};

/** As versions 1 to 3 wrote it. */
const former = {
  round: 3,
  loss: Number.NaN,
  accuracy: 0.5,
  central: { loss: Number.NaN, accuracy: 0.5, examples: 100, perClass: [{ correct: 1, total: 2 }] },
  federated: { loss: 1.5, accuracy: null, examples: 60 },
  ...rest,
  updates: [],
  evaluations: [
    { device: "a", examples: 20, loss: 1, accuracy: 0.25, metrics: { compute_ms: 3 } },
    { device: "b", examples: 40, loss: 1.75, metrics: {} },
  ],
};

describe("the record of a round", () => {
  test("of this version comes back as it was written", () => {
    const { updates: _, ...round } = sampleRound(1, {
      metrics: { accuracy: -0, loss: Number.NaN, rank10: 0.4 },
    });
    expect(readRoundRecord(toExactJson({ ...round, updates: [] }))).toStrictEqual(round);
  });

  test("of an earlier version has its accuracies and losses as metrics", () => {
    expect(readRoundRecord(toExactJson(former))).toStrictEqual({
      round: 3,
      ...rest,
      metrics: { accuracy: 0.5, loss: Number.NaN },
      central: {
        metrics: { accuracy: 0.5, loss: Number.NaN },
        examples: 100,
        perClass: [{ correct: 1, total: 2 }],
      },
      federated: { metrics: { accuracy: null, loss: 1.5 }, examples: 60 },
      evaluations: [
        { device: "a", examples: 20, metrics: { accuracy: 0.25, loss: 1 } },
        { device: "b", examples: 40, metrics: { loss: 1.75 } },
      ],
    });
  });

  test("of an earlier version that measured nothing has no central and no federated figures", () => {
    const { central: _, federated: __, ...bare } = former;
    const read = readRoundRecord(toExactJson({ ...bare, loss: null, accuracy: null, evaluations: [] }));
    expect(read).toStrictEqual({
      round: 3,
      ...rest,
      metrics: { accuracy: null, loss: null },
      evaluations: [],
    });
  });

  test("as pages get it is without what its devices sent", () => {
    expect(toSummary(readRoundRecord(toExactJson(former)))).not.toHaveProperty("evaluations");
  });
});

test("the metrics alone are read from either form", () => {
  const json = (value: unknown) => toExactJson(value);
  expect(
    readRecordedMetrics({ metrics: json({ loss: Number.NaN, rank10: 0.4 }), accuracy: null, loss: null }),
  ).toEqual({ loss: Number.NaN, rank10: 0.4 });
  expect(readRecordedMetrics({ metrics: null, accuracy: "0.5", loss: json(Number.NaN) })).toEqual({
    accuracy: 0.5,
    loss: Number.NaN,
  });
  expect(readRecordedMetrics({ metrics: null, accuracy: "null", loss: null })).toEqual({
    accuracy: null,
    loss: null,
  });
});
