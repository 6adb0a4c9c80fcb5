import { describe, expect, test } from "vitest";
import type { FeatureSettings, Recipe } from "#contract/jobs.ts";
import { evaluateConfig, fitConfig } from "#main/runs/instructions.ts";
import { parseEvaluationInstruction, parseFitInstruction } from "#main/virtual-devices/parse-instruction.ts";
import { recipeOf } from "#test/main/learning/formula.ts";

/** What the server writes, as the device's wire hands it over. */
const received = (config: ReturnType<typeof fitConfig>) =>
  Object.fromEntries(Object.entries(config).map(([key, scalar]) => [key, scalar.value]));
const textOf = (config: ReturnType<typeof fitConfig>) => JSON.parse(received(config).fedfleet as string);
const recipe = (feature: FeatureSettings): Recipe => recipeOf("Net", { feature });

describe("how the head sees the feature", () => {
  const normalised = { kind: "l2-normalised" } as const;

  test("travels in fit and evaluate instructions", () => {
    const fit = fitConfig(recipe(normalised));
    expect(parseFitInstruction(received(fit)).feature).toEqual(normalised);
    const evaluate = evaluateConfig({ ...recipe(normalised), task: "classification" }, 32);
    expect(parseEvaluationInstruction(received(evaluate)).feature).toEqual(normalised);
  });

  test("is left out where it is plain, which clients of earlier versions understand", () => {
    for (const config of [
      fitConfig(recipe({ kind: "plain" })),
      evaluateConfig({ ...recipe({ kind: "plain" }), task: "classification" }, 32),
    ]) {
      expect(textOf(config)).not.toHaveProperty("feature");
      expect(textOf(config)).not.toHaveProperty("task");
    }
    expect(parseFitInstruction(received(fitConfig(recipe({ kind: "plain" })))).feature).toEqual({
      kind: "plain",
    });
  });

  test("is refused where the device does not know it", () => {
    const config = received(fitConfig({ ...recipe(normalised), feature: { kind: "whitened" } as never }));
    expect(() => parseFitInstruction(config)).toThrow(/wrong at feature/);
  });
});
