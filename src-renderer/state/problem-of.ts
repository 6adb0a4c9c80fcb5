import type { BoardProblem } from "#contract/boards.ts";
import { messageOf } from "./message-of.ts";

/** The problem with a board that an error carries; undefined if it is only a sentence. */
const boardProblemOf = (error: unknown): BoardProblem | undefined => {
  if (!(error instanceof Error) || !("data" in error)) return undefined;
  const { data } = error;
  if (typeof data !== "object" || data === null || !("board" in data)) return undefined;
  return data.board as BoardProblem | undefined;
};

/** Any error as a board's problem, so that all are shown in the same way. */
export const asBoardProblem = (error: unknown): BoardProblem => {
  const known = boardProblemOf(error);
  if (known !== undefined) return known;
  const message = messageOf(error);
  const [, title, cause] = /^(.+?[.!?])\s+(.+)$/s.exec(message) ?? [undefined, message, ""];
  return {
    code: "busy",
    title: (title ?? message).replace(/[.]$/, ""),
    cause: cause ?? "",
    next: "",
    actions: [{ do: "retry", label: "Try again" }],
  };
};

/** What an error says of one field; undefined if it does not name the field. */
export const fieldOf = (error: unknown, path: string): string | undefined => {
  if (!(error instanceof Error) || !("data" in error)) return undefined;
  const { data } = error;
  if (typeof data !== "object" || data === null || !("fields" in data) || !Array.isArray(data.fields))
    return undefined;
  const found = (data.fields as readonly { path: string; message: string }[]).find((f) => f.path === path);
  return found?.message;
};
