import type { HostKey } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { plainKey, type ShownKey } from "./host-key.ts";
import type { HostTrust } from "./host-trust.ts";
import { explain } from "./jump.ts";
import type { Known } from "./known-hosts.ts";
import { AttemptError, type OpenedClient, openClient, type Proof } from "./open-client.ts";
import { changedKey, type Hop, newKey, revokedKey } from "./problems.ts";
import { readHostKey, type WayThere } from "./read-host-key.ts";

export interface Entry {
  readonly hop: Hop;
  /** Its key must be one of these. */
  readonly wanted: Known;
  readonly proofs: readonly Proof[];
  /** How one signs in, for a sentence: "this password". */
  readonly signInText: string;
  /** A host on the way to the board. */
  readonly isJump: boolean;
}

/**
 * Signs in at a host whose key must be one of those that are expected; nothing is sent to any other.
 * @throws BoardError: what went wrong; "host-key-new", "host-key-changed" or "host-key-revoked" for another key, which
 *   is remembered so that a person can trust it
 */
export const enterHost = async (entry: Entry, way: WayThere, trust: HostTrust): Promise<OpenedClient> => {
  const { hop, wanted, proofs, signInText, isJump } = entry;
  let refused: ShownKey | undefined;
  const verify = (key: ShownKey): boolean => {
    if (isWanted(key, wanted)) return true;
    refused = key;
    return false;
  };
  try {
    const through = await way.through();
    return await openClient({
      hop,
      keyExchanges: way.keyExchanges,
      ...(through === undefined ? {} : { through }),
      ...(way.signal === undefined ? {} : { signal: way.signal }),
      proofs,
      ...(wanted.keys.length === 0 ? {} : { keyTypes: wanted.keys.map(({ type }) => type) }),
      verify,
    });
  } catch (error) {
    refused ??= await otherKey(error, hop, way);
    if (refused === undefined) throw explain(hop, error, signInText, isJump);
    trust.remember(hop, refused);
    throw new BoardError(keyProblem(hop, plainKey(refused), wanted, isJump), { cause: error });
  }
};

const isWanted = (key: HostKey, { keys, revoked }: Known): boolean =>
  !revoked.includes(key.fingerprint) &&
  keys.some(({ type, fingerprint }) => type === key.type && fingerprint === key.fingerprint);

/** A host that has no key of the known types any more shows another one: that is the alarm, so it is read. */
const otherKey = async (error: unknown, hop: Hop, way: WayThere): Promise<ShownKey | undefined> =>
  error instanceof AttemptError && /no matching.*host key/i.test(error.message)
    ? await readHostKey(hop, [], way).catch(() => undefined)
    : undefined;

const keyProblem = (hop: Hop, key: HostKey, { keys, revoked }: Known, isJump: boolean) => {
  if (revoked.includes(key.fingerprint)) return revokedKey(hop, key);
  return keys.length === 0 ? newKey(hop, key, isJump) : changedKey(hop, key, keys);
};
