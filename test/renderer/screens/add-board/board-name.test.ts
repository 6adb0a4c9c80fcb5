import { expect, test } from "vitest";
import { boardNameProblem, suggestedBoardName } from "#renderer/screens/add-board/board-name.ts";

test.each([
  ["kitchen.local", [], "kitchen"],
  ["PI_Garage", [], "pi-garage"],
  ["10.0.0.7", [], "board-10-0-0-7"],
  ["fe80::1", [], "board-fe80-1"],
  ["kitchen", ["Kitchen"], "kitchen-b"],
  ["kitchen", ["kitchen", "kitchen-b"], "kitchen-c"],
  ["---", [], "board"],
])("a board at %s, with %j taken, is called %s", (host, taken, name) => {
  expect(suggestedBoardName(host, taken)).toBe(name);
  expect(suggestedBoardName(host, taken)).toMatch(/^[a-z0-9][a-z0-9-]{0,40}$/i);
});

test("a name is never too long", () => {
  expect(suggestedBoardName("x".repeat(60), ["x".repeat(36)])).toMatch(/^[a-z0-9][a-z0-9-]{0,40}$/i);
});

test("a name that is taken or malformed is refused, and the sentence says why", () => {
  expect(boardNameProblem("kitchen", ["attic"])).toBeUndefined();
  expect(boardNameProblem(" Kitchen ", ["kitchen"])).toMatch(/^A device named Kitchen already exists/);
  expect(boardNameProblem("-kitchen", [])).toMatch(/cannot start with a dash/);
});
