import { UserError } from "#contract/failure.ts";

/**
 * The error for a file that cannot be used as data.
 *
 * @param file the file, folder or archive, and the member where one in an archive is wrong
 * @param problem what is wrong with it: what was expected and what was found
 * @param next the next step for a person, as an imperative sentence without full stop
 */
export const refusal = (file: string, problem: string, next: string, cause?: unknown): UserError =>
  new UserError(`dataset: ${file}: ${problem}. ${next}.`, cause === undefined ? {} : { cause });

/** What helps in most cases of damage. */
export const FETCH_AGAIN = "Get a new copy of the file from its source, then register it again";
