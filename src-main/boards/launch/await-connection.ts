import type { BoardProblem } from "#contract/boards.ts";
import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";

/** Resolves at the link's next change, or when `signal` is aborted. */
const nextChange = (link: BoardLink, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const unsubscribe = link.onChange(done);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });

/**
 * Waits for the board's connection, as long as it takes.
 *
 * @param onLocked hears that only a person can help; the wait continues
 * @returns undefined when `signal` is aborted first
 */
export const awaitConnection = async (
  link: BoardLink,
  signal: AbortSignal,
  onLocked: (problem: BoardProblem) => void,
): Promise<SshConnection | undefined> => {
  while (!signal.aborted) {
    try {
      const connection = await link.online(signal);
      if (!connection.isClosed) return connection;
      // Its end has not reached the link yet.
      if (link.connection === connection) await nextChange(link, signal);
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof BoardError)) throw error;
      onLocked(error.problem);
      while (!signal.aborted && link.state.state === "locked") await nextChange(link, signal);
    }
  }
  return undefined;
};
