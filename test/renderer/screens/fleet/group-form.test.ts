import { describe, expect, test } from "vitest";
import { virtualGroup } from "#contract/fleet.ts";
import {
  costOf,
  errorsOf,
  FRESH,
  formOf,
  type GroupForm,
  groupOf,
  knownOf,
  namesPreview,
  suggestedName,
} from "#renderer/screens/fleet/group-form.ts";

const form = (more: Partial<GroupForm> = {}): GroupForm => ({ ...FRESH, name: "virtual", ...more });

describe("what the form refuses is what the lab would refuse", () => {
  test.each<Partial<GroupForm>>([
    {},
    { count: 1 },
    { count: 0 },
    { count: 10_000 },
    { count: 10_001 },
    { count: 1.5 },
    { count: "" },
    { name: "" },
    { name: "-a" },
    { name: "a_b" },
    { name: "ü" },
    { name: "a".repeat(41) },
    { name: "a".repeat(42) },
    { name: "Kitchen-2" },
    { slowness: 0.9 },
    { slowness: 1 },
    { slowness: 1000 },
    { slowness: 1001 },
    { slowness: "" },
    { dropOut: 0 },
    { dropOut: 100 },
    { dropOut: 100.1 },
    { dropOut: -1 },
    { crash: "" },
    { crash: 12.5 },
  ])("%o", (more) => {
    const given = form(more);
    const refused = Object.keys(errorsOf(given, []));
    const { success } = virtualGroup.safeParse({
      ...groupOf(given),
      // an empty field is no number to the lab either
      ...(given.count === "" ? { count: Number.NaN } : {}),
      ...(given.slowness === "" ? { slowness: Number.NaN } : {}),
      ...(given.crash === "" ? { crash: Number.NaN } : {}),
    });
    expect(refused).toEqual(success ? [] : Object.keys(more));
  });
});

test("names of other groups are taken, in upper case too, and so is external", () => {
  expect(errorsOf(form({ name: "Slow" }), ["slow"]).name).toContain("A group named Slow already exists");
  expect(errorsOf(form({ name: "External" }), []).name).toContain("reserved for Flower clients from outside");
  expect(errorsOf(form({ name: "fast" }), ["slow"])).toEqual({});
});

test("a group comes back from the form as it went in", () => {
  const group = { count: 3, name: "slow", slowness: 2.5, dropOut: 0.07, crash: 0.29 };
  expect(formOf(group)).toMatchObject({ dropOut: 7, crash: 29 });
  expect(groupOf(formOf(group))).toEqual(group);
});

test("a suggested name tells what is special and is free", () => {
  expect(suggestedName(FRESH, [])).toBe("virtual");
  expect(suggestedName(FRESH, ["virtual"])).toBe("virtual-b");
  expect(suggestedName({ ...FRESH, slowness: 3 }, ["virtual"])).toBe("slow");
  expect(suggestedName({ ...FRESH, slowness: 3, crash: 1 }, ["Slow-Flaky"])).toBe("slow-flaky-b");
  expect(suggestedName({ ...FRESH, dropOut: "" }, [])).toBe("virtual");
  const all = Array.from({ length: 40 }).reduce<string[]>(
    (taken) => [...taken, suggestedName(FRESH, taken)],
    [],
  );
  expect(new Set(all).size).toBe(40);
  expect(errorsOf(form({ name: all.at(-1) ?? "" }), all.slice(0, -1))).toEqual({});
});

test("a preview of the devices' names", () => {
  expect(namesPreview(form({ count: 2 }))).toBe("virtual-1, virtual-2");
  expect(namesPreview(form({ count: 200, name: " pi " }))).toBe("pi-1, pi-2, pi-3, … pi-200");
  expect(namesPreview(form({ count: 0 }))).toBeUndefined();
  expect(namesPreview(form({ name: "" }))).toBeUndefined();
});

test("from 200 devices on, the form says what they cost", () => {
  expect(costOf(form({ count: 199 }), 2)).toBeUndefined();
  expect(costOf(form({ count: 10_001 }), 2)).toBeUndefined();
  expect(costOf(form({ count: 10_000 }), 2)).toMatch(/^10,000 devices take turns on this computer's 2 cores/);
  expect(costOf(form({ count: 200 }), undefined)).toMatch(/^200 devices .* on this computer\./);
});

test("ungrouped devices that the new group takes over are named", () => {
  const device = (name: string, group?: string) => ({
    name,
    kind: "virtual" as const,
    connected: false,
    ...(group === undefined ? {} : { group }),
  });
  const of = (count: number, ...devices: ReturnType<typeof device>[]) => knownOf(form({ count }), devices);
  const four = [1, 2, 3, 4].map((n) => device(`virtual-${n}`));
  expect(of(4, ...four)).toBe("virtual-1 … virtual-4 already exist; the new devices keep their history.");
  expect(of(2, ...four)).toBe("virtual-1, virtual-2 already exist; the new devices keep their history.");
  expect(of(1, ...four)).toBe("virtual-1 already exists; the new device keeps its history.");
  expect(of(4, device("virtual-1", "virtual"), device("virtual-x"), device("slow-1"))).toBeUndefined();
  expect(of(4, { ...device("virtual-1"), kind: "external" as never })).toBeUndefined();
});
