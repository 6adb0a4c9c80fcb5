import type { HostKey } from "#contract/boards.ts";
import { UserError } from "#contract/failure.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { plainKey, type ShownKey } from "./host-key.ts";
import { type Known, type KnownHosts, lookUpIn, nameOf } from "./known-hosts.ts";
import { readPrivately } from "./private-file.ts";
import { changedKey, type Hop, revokedKey } from "./problems.ts";

type Address = Pick<Hop, "host" | "port">;

export interface HostTrust {
  /** What is known of a host before it is contacted. */
  expected(at: Address): Promise<Known>;
  /** A key that a host has just shown: `trust` and `replace` take no other. */
  remember(at: Address, key: ShownKey): void;
  /**
   * Takes a key that the host has shown as known, where none is known yet.
   * @throws UserError when the host has not shown it; BoardError "host-key-changed", "host-key-revoked"
   */
  trust(host: string, port: number, fingerprint: string): Promise<void>;
  /** Takes a key that the host has shown in place of all that were known: the machine was reinstalled. @throws as `trust` */
  replace(host: string, port: number, fingerprint: string): Promise<void>;
}

/** Which host keys are trusted: the lab's own known_hosts, and the user's where the lab knows none. */
export const createHostTrust = (deps: {
  readonly knownHosts: KnownHosts;
  /** Path of the user's own known_hosts; never written. */
  readonly userKnownHosts: string;
}): HostTrust => {
  const { knownHosts, userKnownHosts } = deps;
  const shown = new Map<string, ShownKey>();
  const keyOf = ({ host, port }: Address, fingerprint: string): string =>
    `${nameOf(host, port)} ${fingerprint}`;

  const expected = async ({ host, port }: Address): Promise<Known> => {
    const own = await knownHosts.lookup(host, port);
    const users = lookUpIn(await readPrivately(userKnownHosts).catch(() => undefined), host, port);
    const revoked = [...own.revoked, ...users.revoked];
    // What was trusted in the lab counts for more than what was once trusted in ssh.
    const keys = (own.keys.length > 0 ? own.keys : users.keys).filter(
      ({ fingerprint }) => !revoked.includes(fingerprint),
    );
    return { keys, revoked };
  };

  /** @throws UserError, BoardError "host-key-revoked" */
  const shownKey = async (
    at: Address,
    fingerprint: string,
  ): Promise<{ key: ShownKey; keys: readonly HostKey[] }> => {
    const key = shown.get(keyOf(at, fingerprint));
    if (key === undefined) {
      throw new UserError(
        `${at.host}:${at.port} has not shown the key ${fingerprint}: look at it again before you trust it.`,
      );
    }
    const { keys, revoked } = await expected(at);
    if (revoked.includes(fingerprint)) throw new BoardError(revokedKey(at, key));
    return { key, keys };
  };

  return {
    expected,
    remember(at, key) {
      shown.set(keyOf(at, key.fingerprint), key);
    },
    async trust(host, port, fingerprint) {
      const at = { host, port };
      const { key, keys } = await shownKey(at, fingerprint);
      const isKnown = keys.some((one) => one.fingerprint === fingerprint);
      if (keys.length > 0 && !isKnown) throw new BoardError(changedKey(at, plainKey(key), keys));
      await knownHosts.add(host, port, key);
    },
    async replace(host, port, fingerprint) {
      const { key } = await shownKey({ host, port }, fingerprint);
      await knownHosts.replace(host, port, key);
    },
  };
};
