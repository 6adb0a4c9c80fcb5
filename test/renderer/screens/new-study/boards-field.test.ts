import { expect, test } from "vitest";
import type { BoardSummary } from "#contract/boards.ts";
import type { DeviceView } from "#contract/views.ts";
import { offeredBoards, withBoard } from "#renderer/screens/new-study/boards-field.ts";

const device = (name: string, more: Partial<BoardSummary>): DeviceView => ({
  name,
  kind: "board",
  connected: false,
  board: {
    address: `pi@${name}`,
    state: "online",
    since: "2026-03-01T10:00:00.000Z",
    setup: "ready",
    ...more,
  },
});

test("ready boards come first; the others say why not, and names that no board has can be taken out", () => {
  const offered = offeredBoards(
    [
      device("bare", { setup: "needed" }),
      device("away", { state: "offline" }),
      device("ready", {}),
      { name: "virtual-1", kind: "virtual", connected: true },
    ],
    ["ready", "sold"],
  );
  expect(offered.map(({ name, chosen }) => `${name} ${chosen}`)).toEqual([
    "ready true",
    "away false",
    "bare false",
    "sold true",
  ]);
  expect(offered.map(({ whyNot }) => whyNot !== undefined)).toEqual([false, false, true, true]);
  expect(offered[1]?.note).toMatch(/would wait/);
});

test("the last board that is taken out takes the setting with it", () => {
  expect(withBoard([], "a", true)).toEqual(["a"]);
  expect(withBoard(["a", "b"], "a", true)).toEqual(["b", "a"]);
  expect(withBoard(["a"], "a", false)).toBeUndefined();
});
