import { describe, expect, test } from "vitest";
import {
  CREW_KINDS,
  CREWS,
  dataNames,
  type Fleet,
  fleetProblems,
  fleetSchema,
  fleetSize,
  hasForeignData,
  hostedNames,
  isExternalName,
  rosterOf,
  virtualNames,
} from "#contract/fleet.ts";

const fleetOf = (input: unknown): Fleet => fleetSchema.parse(input);
const mixed = fleetOf({
  external: 2,
  devices: ["kitchen", "attic"],
  virtual: [{ count: 2 }, { count: 1, name: "slow" }],
});
const problems = (input: unknown) =>
  fleetProblems(fleetOf(input)).map(({ path, message }) => [path.join("."), message]);

describe("crews", () => {
  test("the roster is virtual devices, boards, external clients, however the file orders them", () => {
    expect(CREW_KINDS).toEqual(["virtual", "board", "external"]);
    expect(rosterOf(mixed)).toEqual([
      "virtual-1",
      "virtual-2",
      "slow-1",
      "kitchen",
      "attic",
      "external-1",
      "external-2",
    ]);
    expect(fleetSize(mixed)).toBe(7);
  });

  test("virtual devices are hosted here; they and boards are dealt data, external clients bring theirs", () => {
    expect(hostedNames(mixed)).toEqual(["virtual-1", "virtual-2", "slow-1"]);
    expect(dataNames(mixed)).toEqual(["virtual-1", "virtual-2", "slow-1", "kitchen", "attic"]);
    expect(hasForeignData(mixed)).toBe(true);
    expect(hasForeignData(fleetOf({ virtual: 3, devices: ["kitchen"] }))).toBe(false);
  });

  test.each(CREW_KINDS)("%s counts as many as it names, and none where the fleet has none", (kind) => {
    const { count, members } = CREWS[kind];
    expect(members(mixed)).toHaveLength(count(mixed));
    const empty = fleetOf(kind === "virtual" ? { external: 1 } : { virtual: 1 });
    expect(count(empty)).toBe(0);
    expect(members(empty)).toEqual([]);
  });

  test("a number, a group and a list of one group are the same fleet", () => {
    const forms = [3, { count: 3 }, [{ count: 3 }]].map((virtual) => virtualNames(fleetOf({ virtual })));
    expect(new Set(forms.map(String))).toEqual(new Set(["virtual-1,virtual-2,virtual-3"]));
  });
});

describe("a fleet in a study file", () => {
  test("has at least one crew", () => {
    expect(fleetSchema.safeParse({}).error?.issues[0]?.message).toBe(
      "name at least one of virtual, devices, external",
    );
  });

  test("has no two devices of one name", () => {
    expect(problems({ virtual: [{ count: 1 }, { count: 2 }] })).toEqual([
      ["fleet.virtual.1.name", "two groups are called virtual"],
    ]);
    expect(problems({ virtual: 2, devices: ["attic", "attic", "virtual-2"] })).toEqual([
      ["fleet.devices.1", "attic is listed twice"],
      ["fleet.devices.2", "a virtual device is also called virtual-2"],
    ]);
    expect(problems({ virtual: { count: 1, name: "external" } })).toEqual([
      [
        "fleet.virtual.0.name",
        "clients that join by themselves are called external-1, external-2, …; choose another name",
      ],
    ]);
    expect(problems({ virtual: 2, devices: ["attic"], external: 1 })).toEqual([]);
  });

  test("keeps the names of foreign clients free, in upper and lower case", () => {
    expect(["external-1", "External-20"].every(isExternalName)).toBe(true);
    expect(["external", "external-", "external-a", "my-external-1"].some(isExternalName)).toBe(false);
    expect(problems({ virtual: { count: 1, name: "External" } })).toHaveLength(1);
    expect(problems({ devices: ["External-2", "attic"] })).toEqual([
      ["fleet.devices.0", "clients that join by themselves have names like External-2"],
    ]);
  });

  test("has group names of 41 letters, digits or dashes at most", () => {
    const isNamed = (name: string) => fleetSchema.safeParse({ virtual: { count: 1, name } }).success;
    expect(["a", "A-1", "9", "x".repeat(41)].map(isNamed)).toEqual([true, true, true, true]);
    expect(["", "-a", "a b", "x".repeat(42), "é"].map(isNamed)).toEqual(Array(5).fill(false));
  });
});
