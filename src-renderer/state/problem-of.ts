import type { BoardProblem } from "#contract/boards.ts";
import { messageOf } from "./states.ts";

/** What the lab knows of a problem with a board; undefined where it only said a sentence. */
export const boardProblemOf = (error: unknown): BoardProblem | undefined => {
  if (!(error instanceof Error) || !("data" in error)) return undefined;
  const { data } = error;
  if (typeof data !== "object" || data === null || !("board" in data)) return undefined;
  return data.board as BoardProblem | undefined;
};

/** Every refusal in the same form, so that it is shown in the same way. */
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

/** Which field the refusal names. */
export const fieldOf = (error: unknown, path: string): string | undefined => {
  if (!(error instanceof Error) || !("data" in error)) return undefined;
  const { data } = error;
  if (typeof data !== "object" || data === null || !("fields" in data) || !Array.isArray(data.fields))
    return undefined;
  const found = (data.fields as readonly { path: string; message: string }[]).find((f) => f.path === path);
  return found?.message;
};
