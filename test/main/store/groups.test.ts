import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { openStore, type Store } from "#main/store/store.ts";
import { temporaryFolder } from "./samples.ts";

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;

beforeEach(() => {
  folder = temporaryFolder();
  store = openStore({ dataDir: folder.path });
});
afterEach(() => {
  store.close();
  folder.remove();
});

const group = (name: string, count = 3) => ({ name, count, slowness: 2.5, dropOut: 0.1, crash: 0.01 });

test("groups come back as they were added, in that order, also after a restart", () => {
  store.groups.add(group("steady", 40));
  store.groups.add(group("ancient"));
  store.close();
  store = openStore({ dataDir: folder.path });
  expect(store.groups.list()).toEqual([group("steady", 40), group("ancient")]);
});

test("a group keeps its place when it is changed, and its name when it is the same", () => {
  store.groups.add(group("a"));
  store.groups.add(group("b"));
  expect(store.groups.change("a", group("a", 7))).toBe(true);
  expect(store.groups.change("a", group("A", 7))).toBe(true);
  expect(store.groups.list().map(({ name, count }) => [name, count])).toEqual([
    ["A", 7],
    ["b", 3],
  ]);
  expect(store.groups.change("none", group("c"))).toBe(false);
  expect(store.groups.list()).toHaveLength(2);
});

test("the next group comes last, whichever was removed", () => {
  store.groups.add(group("a"));
  store.groups.add(group("b"));
  expect(store.groups.remove("a")).toBe(true);
  expect(store.groups.remove("a")).toBe(false);
  store.groups.add(group("a"));
  expect(store.groups.list().map(({ name }) => name)).toEqual(["b", "a"]);
});

test.each([
  ["slow", /^There is already a group called slow/],
  ["SLOW", /^The devices of SLOW would be called SLOW-1, SLOW-2, .* group slow, apart from upper/],
  ["external", /^A group cannot be called external, because foreign clients/],
  ["External", /^A group cannot be called External/],
])("a group cannot be called %s beside one called slow", (name, message) => {
  store.groups.add(group("slow"));
  store.groups.add(group("other"));
  for (const attempt of [
    () => store.groups.add(group(name)),
    () => store.groups.change("other", group(name)),
  ]) {
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
  }
  expect(store.groups.list().map((g) => g.name)).toEqual(["slow", "other"]);
});

test("names that only look as if their devices could meet are fine", () => {
  store.groups.add(group("a", 20));
  store.groups.add(group("a-1", 20));
  const names = store.groups
    .list()
    .flatMap(({ name, count }) => Array.from({ length: count }, (_, i) => `${name}-${i + 1}`));
  expect(new Set(names).size).toBe(40);
});
