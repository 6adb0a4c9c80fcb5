import { describe, expect, test } from "vitest";
import type { BoardSummary } from "#contract/boards.ts";
import { firstActionOf, shownProblemOf } from "#renderer/screens/board/shown-problem.ts";
import { PROBLEMS } from "#test/fakes/board-examples.ts";

const board = (more: Partial<BoardSummary>): BoardSummary => ({
  address: "pi@10.0.0.7:22",
  state: "online",
  since: "2026-03-01T10:00:00.000Z",
  setup: "ready",
  ...more,
});

describe("what a row says and offers", () => {
  const ended = {
    client: { state: "exited", study: "s", run: "r", restarts: 0, problem: PROBLEMS.memory },
  } as const;
  test("the connection's problem comes before the client's", () => {
    expect(shownProblemOf(board({ state: "offline", problem: PROBLEMS.unreachable, ...ended }))).toBe(
      PROBLEMS.unreachable,
    );
    expect(shownProblemOf(board(ended))).toBe(PROBLEMS.memory);
    expect(shownProblemOf(board({}))).toBeUndefined();
  });
  test.each<[Partial<BoardSummary>, string | undefined]>([
    [{}, undefined],
    [{ setup: "needed" }, undefined],
    [{ state: "offline" }, "Connect"],
    [{ state: "offline", problem: PROBLEMS.unreachable }, "Try again"],
    [{ state: "locked", problem: PROBLEMS.secret }, "Sign in"],
    [ended, "Lower the batch size to 25"],
    // another key is compared, never tried again
    [{ state: "locked", problem: PROBLEMS.changed }, undefined],
    [{ state: "silent" }, undefined],
  ])("case %#", (more, label) => {
    expect(firstActionOf(board(more))?.label).toBe(label);
  });
});
