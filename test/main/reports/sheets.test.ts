import { expect, test } from "vitest";
import { sheetsOf } from "#main/reports/sheets.ts";
import { summarise } from "#main/reports/summary.ts";
import { NASTY, originalTable, sampleInput, sampleRun } from "./samples.ts";

test("the table's numbers are unrounded, shown with two digits, and the rounds are those on record", () => {
  const input = originalTable();
  const [table, rounds, about] = sheetsOf(summarise(input));
  expect(table!.data[0]).toEqual(["algorithm", "trial 1", "trial 2", "trial 3", "mean", "deviation", "n"]);
  expect(table!.data[1]!.slice(0, 2)).toEqual(["fedavg", { value: 0.5431 * 100, format: "0.00" }]);
  expect(table!.data.map((row) => row[0])).toEqual([
    "algorithm",
    "fedavg",
    "fedntd",
    "accuracy improvement",
    "chance level",
  ]);
  expect(new Set(table!.data.map((row) => row.length))).toEqual(new Set([7]));
  const accuracy = rounds!.data[0]!.indexOf("accuracy");
  expect(rounds!.data.slice(1).map((row) => row[accuracy])).toEqual(
    input.runs.flatMap((run) => run.rounds.map((r) => r.accuracy)),
  );
  expect(about!.data).toContainEqual(["figures", "accuracy at the last round (%)"]);
});

test.each(NASTY)("a name like %j is text that XML can hold", (nasty) => {
  const run = sampleRun(nasty, 1, [0.1, 0.2, Number.NaN], "failed", nasty);
  for (const { data } of sheetsOf(summarise(sampleInput([run], { name: nasty })))) {
    for (const cell of data.flat()) {
      if (typeof cell === "string") expect(cell).not.toMatch(/\p{Cc}/u);
      else if (typeof cell === "number") expect(cell).not.toBeNaN();
    }
  }
});
