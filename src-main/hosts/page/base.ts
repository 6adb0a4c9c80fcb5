import { implement, ORPCError } from "@orpc/server";
import { UserError } from "#contract/failure.ts";
import { labContract } from "#contract/lab-contract.ts";

/**
 * What every handler of the page's contract is built on. What a person can mend arrives in the page with its
 * message; a bug arrives as an error without one.
 */
export const page = implement(labContract).use(async ({ next }) => {
  try {
    return await next();
  } catch (error) {
    if (error instanceof ORPCError) throw error;
    if (error instanceof UserError) {
      throw new ORPCError("PROBLEM", { status: 422, message: error.message, data: {}, defined: true });
    }
    throw error;
  }
});

/** The same, telling bugs in full to whoever keeps the lab's log. */
export const pageThatTells = (onBug: (error: unknown) => void) =>
  page.use(async ({ next }) => {
    try {
      return await next();
    } catch (error) {
      // An answer that breaks the contract comes as one of oRPC's own errors.
      if (!(error instanceof ORPCError) || error.code === "INTERNAL_SERVER_ERROR") onBug(error);
      throw error;
    }
  });
