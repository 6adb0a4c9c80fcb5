import { implement, ORPCError } from "@orpc/server";
import { UserError } from "#contract/failure.ts";
import { labContract } from "#contract/lab-contract.ts";

/**
 * What every handler of the page's contract is built on. What a person can mend arrives in the page with its
 * message; a bug arrives as an error without one, and goes to standard error in full.
 */
export const page = implement(labContract).use(async ({ next, path }) => {
  try {
    return await next();
  } catch (error) {
    if (error instanceof ORPCError) throw error;
    if (error instanceof UserError) {
      throw new ORPCError("PROBLEM", { status: 422, message: error.message, data: {}, defined: true });
    }
    process.stderr.write(
      `${path.join(".")}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
    );
    throw error;
  }
});
