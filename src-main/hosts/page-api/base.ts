import { implement, ORPCError } from "@orpc/server";
import type { BoardProblem } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { labContract } from "#contract/lab-contract.ts";

/** What a person can mend arrives in the page with its message; a bug arrives as an error without one. */
const forPage = (error: unknown): unknown =>
  error instanceof UserError
    ? new ORPCError("PROBLEM", { status: 422, message: error.message, data: dataOf(error), defined: true })
    : error;

/** A refusal may carry what is known of a board. */
const dataOf = (error: UserError): { board?: BoardProblem } =>
  "problem" in error ? { board: error.problem as BoardProblem } : {};

/** Not what was said to a person; an answer that breaks the contract comes as one of oRPC's own errors. */
const isBug = (error: unknown): boolean =>
  error instanceof ORPCError ? error.code === "INTERNAL_SERVER_ERROR" : !(error instanceof UserError);

/** What every handler of the page's contract is built on: errors that a person can mend are told as such. */
export const page = implement(labContract).use(({ next }) => withErrors(next, forPage));

/** The same, telling bugs in full to whoever keeps the lab's log. */
export const pageThatTells = (onBug: (error: unknown) => void) =>
  page.use(({ next }) =>
    withErrors(next, (error) => {
      if (isBug(error)) onBug(error);
      return error;
    }),
  );

/** An answer whose errors are others: those of its stream, too, which come long after the handler has returned. */
const withErrors = async <R extends { readonly output: unknown }>(
  ask: () => R | PromiseLike<R>,
  toTell: (error: unknown) => unknown,
): Promise<R> => {
  try {
    const answer = await ask();
    if (!isStream(answer.output)) return answer;
    return { ...answer, output: streamWithErrors(answer.output, toTell) };
  } catch (error) {
    throw toTell(error);
  }
};

async function* streamWithErrors(
  stream: AsyncGenerator<unknown>,
  toTell: (error: unknown) => unknown,
): AsyncGenerator<unknown> {
  try {
    return yield* stream;
  } catch (error) {
    throw toTell(error);
  }
}

const isStream = (output: unknown): output is AsyncGenerator<unknown> =>
  typeof output === "object" && output !== null && Symbol.asyncIterator in output;
