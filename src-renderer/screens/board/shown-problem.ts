import type { BoardAction, BoardProblem, BoardSummary } from "#contract/boards.ts";

/** A board's problem, if there is one: that of its connection first, then that of its client. */
export const shownProblemOf = (board: BoardSummary): BoardProblem | undefined =>
  board.state === "online" ? board.client?.problem : (board.problem ?? board.client?.problem);

/** The one action that a row of the fleet offers for its board. */
export const firstActionOf = (board: BoardSummary): BoardAction | undefined => {
  const problem = shownProblemOf(board);
  if (problem !== undefined) {
    const [first] = problem.actions ?? [];
    if (first !== undefined) return first;
    // a different host key is compared on the board's own page; trying again would not help
    const isKey = problem.code === "host-key-changed" || problem.code === "host-key-revoked";
    return board.state === "online" || isKey ? undefined : { do: "retry", label: "Try again" };
  }
  if (board.state === "offline") return { do: "retry", label: "Connect" };
  if (board.state === "locked") return { do: "sign-in", label: "Sign in" };
  return undefined;
};
