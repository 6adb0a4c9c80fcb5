import type { SshConnection } from "#main/boards/board-ports.ts";

/** A promise keeps all who wait for it in memory; a connection may last for weeks, what is done over it does not. */
const waiting = new WeakMap<SshConnection, Set<() => void>>();

/**
 * Calls `then` when the connection is gone; soon, where it is gone already.
 *
 * @returns a function that cancels that
 */
export const whenClosed = (connection: SshConnection, then: () => void): (() => void) => {
  const known = waiting.get(connection);
  const all = known ?? new Set();
  // Each call is its own, also of the same function.
  const tell = (): void => then();
  all.add(tell);
  if (known === undefined || connection.isClosed) {
    waiting.set(connection, all);
    void connection.closed.then(() => {
      for (const one of all) {
        all.delete(one);
        one();
      }
    });
  }
  return () => all.delete(tell);
};
