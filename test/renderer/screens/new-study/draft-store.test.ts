import { describe, expect, it } from "vitest";
import { PRESETS } from "#contract/presets.ts";
import type { Draft } from "#renderer/screens/new-study/draft.ts";
import { createDraftStore } from "#renderer/screens/new-study/draft-store.ts";
import { lackingOf } from "#renderer/screens/new-study/lacking.ts";

describe("the draft's turn", () => {
  it("grows with each change, even one that leaves the draft as it was, and not with what the lab says", () => {
    const store = createDraftStore();
    const turns = [store.getState().turn];
    const noted = (act: () => void) => {
      act();
      turns.push(store.getState().turn);
    };
    noted(() => store.set("rounds", 7));
    noted(() => store.set("rounds", 7));
    noted(() => store.replace(PRESETS[0]!.study as Draft));
    noted(() => store.replace(PRESETS[0]!.study as Draft));
    noted(() => store.reset());
    expect(turns).toEqual([0, 1, 2, 3, 4, 5].map((n) => turns[0]! + n));
    store.tell([{ path: "rounds", message: "must be at least 1" }]);
    expect(store.getState().turn).toBe(turns.at(-1));
  });
});

describe("what is lacking", () => {
  it("names each thing once, where it can be mended", () => {
    const { fields, checks } = lackingOf(
      [
        { path: "sampling.minFit", message: "there are too few devices" },
        { path: "name", message: "is missing" },
      ],
      [
        { kind: "data", state: "warning", text: "Elsewhere." },
        {
          kind: "devices",
          state: "missing",
          text: "There are too few devices.",
          mend: { do: "set", patch: {}, label: "Set it to 4" },
        },
        { kind: "data", state: "missing", text: "It is not here." },
      ],
    );
    expect(fields.map(({ path }) => path)).toEqual(["name"]);
    expect(checks.map(({ text }) => text)).toEqual(["There are too few devices.", "It is not here."]);
  });
});
