import { expect, test } from "vitest";
import { writeReport } from "#main/reports/formats.ts";
import { studyReport } from "#main/reports/report.ts";
import type { Sheet } from "#main/reports/sheets.ts";
import type { ReportInput } from "#main/reports/summary.ts";
import { NASTY, originalTable, sampleInput, sampleRun } from "./samples.ts";

const sheetsOf = (input: ReportInput): readonly Sheet[] => {
  const content = writeReport(studyReport(input, { at: "last" }), "xlsx");
  if (typeof content === "string") throw new Error("not a workbook");
  return content;
};

test("the table's numbers are unrounded, shown with two digits, and the rounds are those on record", () => {
  const input = originalTable();
  const [table, rounds, about] = sheetsOf(input);
  expect(table!.data[0]).toEqual(["algorithm", "trial 1", "trial 2", "trial 3", "mean", "deviation", "n"]);
  expect(table!.data[1]!.slice(0, 2)).toEqual(["FedAvg", { value: 0.5431 * 100, format: "0.00" }]);
  expect(table!.data.map((row) => row[0])).toEqual([
    "algorithm",
    "FedAvg",
    "FedNTD",
    "accuracy improvement",
    "chance level",
  ]);
  expect(new Set(table!.data.map((row) => row.length))).toEqual(new Set([7]));
  const accuracy = rounds!.data[0]!.indexOf("accuracy");
  expect(rounds!.data.slice(1).map((row) => row[accuracy])).toEqual(
    input.runs.flatMap((run) => run.rounds.map((r) => r.metrics.accuracy)),
  );
  expect(about!.data).toContainEqual(["figures", "accuracy at the last round (%)"]);
});

test.each(NASTY)("a name like %j is text that XML can hold", (nasty) => {
  const run = sampleRun(nasty, 1, [0.1, 0.2, Number.NaN], "failed", nasty);
  for (const { data } of sheetsOf(sampleInput([run], { name: nasty }))) {
    for (const cell of data.flat()) {
      if (typeof cell === "string") expect(cell).not.toMatch(/\p{Cc}/u);
      else if (typeof cell === "number") expect(cell).not.toBeNaN();
    }
  }
});
