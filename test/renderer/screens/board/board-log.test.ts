import { expect, test } from "vitest";
import type { BoardLogLine } from "#contract/boards.ts";
import { joinedLines } from "#renderer/screens/board/board-log.ts";

const AT = "2026-03-01T10:00:00.000Z";

test("streamed lines follow the loaded ones, none twice, and only those that match the search", () => {
  const line = (id: number, text = `line ${id}`): BoardLogLine => ({
    id,
    at: AT,
    stream: "stdout",
    text,
  });
  expect(joinedLines([line(1), line(2)], [line(2), line(3)], "").map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(joinedLines([line(1)], [line(2, "Out of memory"), line(3)], "MEMORY").map(({ id }) => id)).toEqual([
    1, 2,
  ]);
});
