import { describe, expect, it } from "vitest";
import type { RunRow } from "#contract/views.ts";
import { NOTHING, withoutRuns, withRun, withStudy } from "#renderer/screens/compare/chosen.ts";

const runs: readonly RunRow[] = ["a1", "a2", "a3"].map((id, i) => ({
  id,
  study: "a",
  algorithm: "fedavg",
  trial: i + 1,
  seed: 1,
  status: "done",
}));
const [first, second, third] = runs as [RunRow, RunRow, RunRow];

describe("choosing", () => {
  it("a study keeps the order in which studies were chosen", () => {
    const two = withStudy(withStudy(NOTHING, "b", true), "a", true);
    expect(two.studies).toEqual(["b", "a"]);
    expect(withStudy(two, "b", false).studies).toEqual(["a"]);
  });

  it("a whole study takes the place of its single runs", () => {
    const one = withRun({ studies: ["b"], runs: ["c1"] }, first, true, runs);
    expect(one).toEqual({ studies: ["b"], runs: ["c1", "a1"] });
    expect(withStudy(one, "a", true, runs)).toEqual({ studies: ["b", "a"], runs: ["c1"] });
  });

  it("a run taken out of a whole study leaves the others", () => {
    expect(withRun({ studies: ["a"], runs: [] }, second, false, runs)).toEqual({
      studies: [],
      runs: ["a1", "a3"],
    });
  });

  it("all runs one by one are the whole study", () => {
    const two = withRun(withRun(NOTHING, third, true, runs), first, true, runs);
    expect(two).toEqual({ studies: [], runs: ["a1", "a3"] });
    expect(withRun(two, second, true, runs)).toEqual({ studies: ["a"], runs: [] });
  });

  it("a row taken out of the table leaves the study's other rows", () => {
    const chosen = { studies: ["a", "b"], runs: ["c1", "c2"] };
    expect(withoutRuns(chosen, "a", ["a1"], ["a1", "a2", "a3"])).toEqual({
      studies: ["b"],
      runs: ["c1", "c2", "a2", "a3"],
    });
    expect(withoutRuns(chosen, "c", ["c2"], ["c1", "c2"])).toEqual({ studies: ["a", "b"], runs: ["c1"] });
    expect(withoutRuns({ studies: ["a"], runs: [] }, "a", ["a1"], ["a1"])).toEqual(NOTHING);
  });
});
