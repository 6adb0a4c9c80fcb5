import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  ALGORITHM_NAMES,
  ALGORITHMS,
  algorithmSettings,
  algorithmsFor,
  definitionOf,
  isAlgorithm,
  titleOfAlgorithm,
  toAlgorithmName,
  traitsOf,
} from "#contract/algorithms/algorithms.ts";
import type { AlgorithmDefinition } from "#contract/algorithms/definition.ts";
import { TASK_NAMES } from "#contract/tasks/tasks.ts";

const all: readonly (readonly [string, AlgorithmDefinition])[] = Object.entries(ALGORITHMS);

describe.each(all)("%s", (key, definition) => {
  test("is complete: names, paper, one sentence, tasks and look", () => {
    const { name, title, paper, about, tasks, look } = definition;
    expect(name).toBe(key);
    expect(name).toMatch(/^[a-z][a-z0-9]*$/);
    expect(title).toMatch(/^Fed[A-Za-z]+$/);
    expect(title.toLowerCase()).toBe(name);
    expect(paper).toMatch(/^[A-Z].+, (?:[A-Z][A-Za-z]+ )?(?:19|20)\d\d$/);
    expect(about).toMatch(/^[A-Z].+\.$/);
    expect(about).not.toContain("\n");
    expect(tasks.length).toBeGreaterThan(0);
    for (const task of tasks) expect(TASK_NAMES).toContain(task);
    expect(look.colour).toBeGreaterThanOrEqual(1);
    expect(look.colour).toBeLessThanOrEqual(11);
    expect(Number.isInteger(look.colour)).toBe(true);
    if (look.dash !== undefined) expect(look.dash).toMatch(/^\d+( \d+)*$/);
  });

  test("has a field for each of its settings, of the setting's kind, and a default for each", () => {
    const { settings, fields } = definition;
    expect(fields === undefined).toBe(settings === undefined);
    if (settings === undefined) return;
    const defaults = settings.parse(undefined) as Record<string, unknown>;
    expect(fields!.map((field) => field.key).toSorted()).toEqual(Object.keys(defaults).toSorted());
    for (const { key: setting, label, help, kind = "number" } of fields!) {
      expect(typeof defaults[setting]).toBe(kind === "switch" ? "boolean" : "number");
      expect(label).toMatch(/^[A-Z]/);
      expect(help).toMatch(/^(?:[A-Z]|\d).+\.$/);
    }
    expect(settings.safeParse({ ...defaults, unknown: 1 }).success).toBe(false);
    expect(z.toJSONSchema(settings, { io: "input" })).toBeDefined();
  });

  test("has a recipe that its own settings' defaults are enough for", () => {
    const { recipe, settings } = definition;
    const { loss, feature } = recipe?.(settings?.parse(undefined)) ?? {};
    if (loss !== undefined) expect(["ce", "prox", "ntd"]).toContain(loss.kind);
    if (feature !== undefined) expect(["plain", "l2-normalised"]).toContain(feature.kind);
  });
});

test("no two algorithms share a title, or a colour with the same dash", () => {
  const definitions = all.map(([, definition]) => definition);
  expect(new Set(definitions.map(({ title }) => title)).size).toBe(all.length);
  const looks = definitions.map(({ look }) => `${look.colour} ${look.dash ?? "solid"}`);
  expect(new Set(looks).size).toBe(all.length);
});

test("the settings of a study are those of the algorithms that have some", () => {
  expect(Object.keys(algorithmSettings)).toEqual(
    all.flatMap(([name, { settings }]) => (settings === undefined ? [] : [name])),
  );
});

test("every task has an algorithm, FedAvg first", () => {
  for (const task of TASK_NAMES) expect(algorithmsFor(task)[0]).toBe("fedavg");
  expect(algorithmsFor("classification")).toEqual(ALGORITHM_NAMES);
});

test("a name is looked up without what every object has", () => {
  expect(isAlgorithm("fedavg")).toBe(true);
  for (const name of ["FedAvg", "constructor", "__proto__", ""]) {
    expect(isAlgorithm(name)).toBe(false);
    expect(() => toAlgorithmName(name)).toThrow(`this version does not know the algorithm ${name}`);
    expect(titleOfAlgorithm(name)).toBe(name);
  }
  expect(titleOfAlgorithm("fedntd")).toBe("FedNTD");
  expect(definitionOf(toAlgorithmName("fedper")).title).toBe("FedPer");
});

test("traits are the algorithm's own; what is left out is not so", () => {
  const having = (trait: keyof ReturnType<typeof traitsOf>) =>
    ALGORITHM_NAMES.filter((name) => traitsOf(name)[trait]);
  expect(traitsOf("fedavg")).toEqual({});
  expect(having("keepsHead")).toEqual(["fedper"]);
  expect(having("notOnForeignClients")).toEqual(["fedper", "fedfn"]);
  expect(having("needsAllUpdates")).toEqual(["fedmedian", "fedtrimmedavg"]);
  expect(having("needsBuffers")).toEqual(["fedavgm", "fedadam", "fedyogi", "fedexp"]);
  expect(having("momentsPerWeight").map((name) => [name, traitsOf(name).momentsPerWeight])).toEqual([
    ["fedavgm", 1],
    ["fedadam", 2],
    ["fedyogi", 2],
  ]);
});
