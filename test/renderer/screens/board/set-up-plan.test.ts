import { describe, expect, test } from "vitest";
import { lackingConsent, setUpSentence, wantsSudo } from "#renderer/screens/board/set-up-plan.ts";
import { factsOf, MODELS } from "#test/fakes/board-examples.ts";
import { planOf } from "#test/fakes/board-plans.ts";

describe("setting up", () => {
  test("steps that lack consent are named; done steps need none", () => {
    const plan = planOf("missing");
    expect(lackingConsent(plan, new Set()).map(({ id }) => id)).toEqual(["docker-install", "docker-group"]);
    expect(lackingConsent(plan, new Set(["docker-install", "docker-group"]))).toEqual([]);
    expect(lackingConsent(planOf("done"), new Set())).toEqual([]);
  });
  test("sudo's password is asked for only where a step needs it and it would help", () => {
    const facts = factsOf(MODELS[1]!, "2026-03-01T10:00:00.000Z", "missing");
    expect(wantsSudo({ facts }, planOf("missing"))).toBe(true);
    expect(wantsSudo({ facts: { ...facts, sudo: "free" } }, planOf("missing"))).toBe(false);
    expect(wantsSudo({ facts: { ...facts, sudo: "none" } }, planOf("missing"))).toBe(false);
    expect(wantsSudo({ facts }, planOf("image"))).toBe(false);
  });
  test("the state of the setup, in a sentence", () => {
    expect(setUpSentence(planOf("missing"))).toBe("4 steps remain.");
    expect(setUpSentence(planOf("done"))).toBe("The board is ready.");
  });
});
