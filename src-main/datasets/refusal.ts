import { UserError } from "#contract/failure.ts";

/**
 * A file that cannot be used as data.
 *
 * @param file the file, folder or archive (and, in an archive, its member), as a person would recognise it
 * @param problem what is wrong with it: expected against found
 * @param next the next step for a person, as an imperative sentence without full stop
 */
export const refusal = (file: string, problem: string, next: string, cause?: unknown): UserError =>
  new UserError(`dataset: ${file}: ${problem}. ${next}.`, cause === undefined ? {} : { cause });

/** What helps against most damage: the same file again, from where it came from. */
export const FETCH_AGAIN = "Get the file again from its source, then register it again";
