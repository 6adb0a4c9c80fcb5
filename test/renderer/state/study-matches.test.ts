import { expect, test } from "vitest";
import type { StudyRow } from "#contract/views.ts";
import { studyMatches } from "#renderer/state/study-matches.ts";

const row = {
  id: "s-1",
  name: "Night shift",
  dataset: "cifar10",
  model: "Net",
  algorithms: ["fedavg", "fedntd"],
} as unknown as StudyRow;

test("a study matches when it has every word, in any field and any case", () => {
  for (const wanted of ["", "  ", "night", "SHIFT FedNTD", "cifar10 net s-1"]) {
    expect(studyMatches(row, wanted), wanted).toBe(true);
  }
  for (const wanted of ["day", "night fedprox"]) expect(studyMatches(row, wanted), wanted).toBe(false);
});
