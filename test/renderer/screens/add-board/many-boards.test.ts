import { describe, expect, test } from "vitest";
import type { ListedBoard, Reached } from "#contract/boards.ts";
import {
  afterReached,
  inTurn,
  type ManyRow,
  manySummary,
  phaseOf,
  problemsOfList,
  rowsOfList,
  unknownKeys,
  withRow,
} from "#renderer/screens/add-board/many-boards.ts";
import { KEY, OTHER_KEY, PROBLEMS } from "#test/fakes/board-examples.ts";

const listed: readonly ListedBoard[] = [
  { line: 1, target: { host: "shelf.local", user: "pi" } },
  { line: 2, problem: "This is no address." },
  { line: 3, name: "garage", target: { host: "10.0.0.9" } },
  { line: 4, target: { host: "shelf.lan" } },
];
const reached = (host: string, more: Partial<Reached> = {}): Reached => ({
  trust: "new",
  host,
  port: 22,
  isJump: false,
  key: KEY,
  user: "pi",
  ways: { agent: false, keys: [], labKey: false },
  ...more,
});
const rows = rowsOfList(listed, ["other"]);

describe("the list", () => {
  test("lines that can be read get names that no device has", () => {
    expect(rows.map(({ line, name }) => `${line} ${name}`)).toEqual(["1 shelf", "3 garage", "4 shelf-b"]);
  });
  test("each line keeps its own problem; a taken name is one", () => {
    expect([...problemsOfList(listed, ["GARAGE"]).keys()]).toEqual([2, 3]);
    expect([
      ...problemsOfList([...listed, { line: 5, name: "Garage", target: { host: "x" } }], []).keys(),
    ]).toEqual([2, 5]);
  });
});

describe("how each line advances", () => {
  const set = (all: readonly ManyRow[], line: number, what: Reached) =>
    withRow(all, line, afterReached(what));
  const looked = set(
    set(set(rows, 1, reached("shelf.local", { trust: "known" })), 3, reached("gate", { isJump: true })),
    4,
    reached("gate", { isJump: true }),
  );
  test("a jump host is shown once for all boards behind it, before the boards", () => {
    const both = set(looked, 1, reached("shelf.local", { key: OTHER_KEY }));
    expect(unknownKeys(both).map(({ host, names }) => `${host}: ${names.join(" ")}`)).toEqual([
      "gate: garage shelf-b",
      "shelf.local: shelf",
    ]);
    // two machines with one fingerprint are two questions
    const same = set(set(rows, 1, reached("a")), 3, reached("b"));
    expect(unknownKeys(same)).toHaveLength(2);
  });
  test("a changed key is never among those to be trusted", () => {
    const changed = set(looked, 3, reached("10.0.0.9", { trust: "changed", known: [OTHER_KEY] }));
    expect(unknownKeys(changed).flatMap(({ names }) => names)).toEqual(["shelf-b"]);
  });
  test("what the dialog asks for next", () => {
    expect(phaseOf([])).toBe("list");
    expect(phaseOf(withRow(looked, 3, { state: "reaching" }))).toBe("reaching");
    expect(phaseOf(looked)).toBe("keys");
    const known = looked.reduce((all, { line }) => withRow(all, line, { state: "reached" }), looked);
    expect(phaseOf(known)).toBe("sign-in");
    expect(phaseOf(withRow(known, 1, { state: "adding" }))).toBe("adding");
    const over = known.reduce((all, { line }) => withRow(all, line, { state: "added" }), known);
    const failed = withRow(over, 3, { state: "failed", problem: PROBLEMS.unreachable });
    expect(phaseOf(failed)).toBe("done");
    expect(manySummary(failed)).toBe("2 added, 1 failed");
    expect(failed.find(({ line }) => line === 3)?.problem).toBe(PROBLEMS.unreachable);
    expect(withRow(failed, 3, { state: "adding" }).find(({ line }) => line === 3)).not.toHaveProperty(
      "problem",
    );
  });
});

test("all items are worked on, at most three at once", async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  await inTurn([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    now -= 1;
    done.push(n);
  });
  expect(most).toBe(3);
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
