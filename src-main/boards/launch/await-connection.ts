import type { BoardProblem } from "#contract/boards.ts";
import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";
import type { AlarmClock } from "./alarm-clock.ts";

export interface AwaitConnectionOptions {
  readonly link: BoardLink;
  /** Rings when there is something else to be done; at the end of `signal`, too. */
  readonly clock: AlarmClock;
  readonly signal: AbortSignal;
  /** Only a person can go on. */
  onLocked(problem: BoardProblem): void;
}

/** Waits for the board's connection. @returns undefined where everything has to be looked at again */
export const awaitConnection = async (
  options: AwaitConnectionOptions,
): Promise<SshConnection | undefined> => {
  const { link, clock, signal } = options;
  const rung = new AbortController();
  const forget = clock.onRing(() => rung.abort());
  try {
    signal.throwIfAborted();
    const connection = await link.online(rung.signal);
    if (!connection.isClosed) return connection;
    // The link has not heard of its end yet.
    await clock.rest(100);
  } catch (error) {
    if (rung.signal.aborted || signal.aborted) return undefined;
    if (!(error instanceof BoardError)) throw error;
    options.onLocked(error.problem);
    const unsubscribe = link.onChange(clock.ring);
    await clock.until(() => rung.signal.aborted || link.state.state !== "locked");
    unsubscribe();
  } finally {
    forget();
  }
  return undefined;
};
