import { implement, ORPCError } from "@orpc/server";
import type { BoardProblem } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { labContract } from "#contract/lab-contract.ts";

/** A problem that a person can fix reaches the page with its message; a bug reaches it as an error without one. */
const forPage = (error: unknown): unknown =>
  error instanceof UserError
    ? new ORPCError("PROBLEM", { status: 422, message: error.message, data: dataOf(error), defined: true })
    : error;

/** A refusal may carry a board's problem. */
const dataOf = (error: UserError): { board?: BoardProblem } =>
  "problem" in error ? { board: error.problem as BoardProblem } : {};

/** Whether an error is ours, not a message for a person. An answer that breaks the contract is an error of oRPC's. */
const isBug = (error: unknown): boolean =>
  error instanceof ORPCError ? error.code === "INTERNAL_SERVER_ERROR" : !(error instanceof UserError);

/** The base of every handler: problems that a person can fix reach the page as such. */
export const page = implement(labContract).use(({ next }) => withErrors(next, forPage));

/** The same, and reports bugs in full for the lab's log. */
export const pageThatTells = (onBug: (error: unknown) => void) =>
  page.use(({ next }) =>
    withErrors(next, (error) => {
      if (isBug(error)) onBug(error);
      return error;
    }),
  );

/** Maps an answer's errors, including those of its stream, which come long after the handler has returned. */
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
