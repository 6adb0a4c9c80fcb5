import { UserError } from "#contract/failure.ts";
import type { ClientMessageOut, ConfigOut } from "#main/wire/protocol.ts";
import { BadInstruction } from "./parse-instruction.ts";

/** Codes of Flower 1.x: the only ones for a fit and an evaluation that did not work. */
const FIT_FAILED = 3;
const EVALUATE_FAILED = 4;

/** @param metrics what is told along with every failure */
export const fitFailed =
  (metrics: ConfigOut) =>
  (message: string): ClientMessageOut => ({
    kind: "fit",
    status: { code: FIT_FAILED, message },
    parameters: [],
    examples: 0,
    metrics,
  });

/** @param metrics what is told along with every failure */
export const evaluateFailed =
  (metrics: ConfigOut) =>
  (message: string): ClientMessageOut => ({
    kind: "evaluate",
    status: { code: EVALUATE_FAILED, message },
    loss: 0,
    examples: 0,
    metrics,
  });

/** What the server is told. Anything unforeseen also goes to the worker's own error output, with its stack. */
export const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof BadInstruction || error instanceof UserError || error.name === "DivergedError") {
    return error.message;
  }
  console.error(error);
  return `${error.name}: ${error.message}`;
};
