import { BoardError, type BoardLink, type SshConnection } from "#main/boards/board-ports.ts";

/**
 * The link's connection, as soon as there is one.
 *
 * @throws the signal's reason; BoardError when the board is locked: only a person can help
 */
export const awaitOnline = (
  link: Pick<BoardLink, "state" | "connection" | "onChange">,
  signal: AbortSignal,
): Promise<SshConnection> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const settle = (then: () => void): void => {
      unsubscribe();
      signal.removeEventListener("abort", abort);
      then();
    };
    const abort = (): void => settle(() => reject(signal.reason));
    const look = (): void => {
      const { state, connection } = link;
      if (state.state === "online" && connection !== undefined) settle(() => resolve(connection));
      else if (state.state === "locked" && state.problem !== undefined) {
        const { problem } = state;
        settle(() => reject(new BoardError(problem)));
      }
    };
    const unsubscribe = link.onChange(look);
    signal.addEventListener("abort", abort, { once: true });
    look();
  });
