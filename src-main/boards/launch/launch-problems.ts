import type { BoardAction, BoardFacts, BoardProblem } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";

/** Why a client did not start, in plain words. */

const BUILD: BoardAction = { do: "step", step: "image", label: "Build the image" };
const LOAD: BoardAction = { do: "load-image", label: "Load a saved image" };
const RESTART: BoardAction = { do: "restart-client", label: "Restart" };

/** The engine's own message. */
export const wordsOf = (error: unknown): string =>
  error instanceof BoardError
    ? (error.problem.raw ?? error.message)
    : error instanceof Error
      ? error.message
      : String(error);

export const noImageFor = (facts: BoardFacts): BoardError =>
  new BoardError({
    code: "unsupported-board",
    title: "There is no client for this board",
    cause: facts.unsupported ?? "The lab has no client image for it.",
    next: "Let the study continue without it.",
  });

export const imageMissing = (device: string, image: string, cause: unknown): BoardError =>
  new BoardError(
    {
      code: "image-missing",
      title: "The client image is not on the board",
      cause: `${device} has no image ${image}: it was removed, or the lab's client is newer.`,
      next: "Build the image, or load a saved one.",
      raw: wordsOf(cause),
      actions: [BUILD, LOAD, RESTART],
    },
    { cause },
  );

/** @returns the problem behind an engine's own message; else the error itself */
export const notStarted = (error: unknown): unknown => {
  const raw = wordsOf(error);
  if (/unknown or invalid runtime name|unknown runtime|nvidia-container|libnvidia/i.test(raw)) {
    return new BoardError(
      {
        code: "gpu-missing",
        title: "The engine cannot give containers the GPU",
        cause: "Its NVIDIA runtime is not set up, or does not fit the board's system.",
        next: "Configure the NVIDIA runtime.",
        raw,
        actions: [{ do: "step", step: "nvidia-runtime", label: "Configure the runtime" }, RESTART],
      },
      { cause: error },
    );
  }
  if (/exec format error/i.test(raw)) {
    return new BoardError(
      {
        code: "wrong-architecture",
        title: "The image is for another kind of processor",
        cause: "The board's processor cannot run the programs in it.",
        next: "Build the image on the board, or load one that was saved on a board like it.",
        raw,
        actions: [BUILD, LOAD],
      },
      { cause: error },
    );
  }
  return error;
};

/** An error that the lab does not know; a person reads at least what it was. */
export const unforeseen = (error: unknown): BoardProblem => ({
  code: "client-exited",
  title: "The client could not be started",
  cause: error instanceof Error ? error.message.replace(/\.?$/, ".") : "An unexpected error occurred.",
  next: "The lab tries again.",
  actions: [RESTART],
});
