import type { HostKey } from "#contract/boards.ts";
import type { Slots } from "#contract/slots.ts";
import type { ShownKey } from "./host-key.ts";
import { AttemptError, endClient, type OpenedClient, openClient } from "./open-client.ts";
import type { Hop } from "./problems.ts";

export interface WayThere {
  readonly keyExchanges: Slots;
  /** Opens a channel through the host before; undefined: a TCP connection. */
  through(): Promise<OpenedClient["socket"] | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a host's key, and ends before anything is sent. Keys of the known types are asked for first.
 * @throws AttemptError; BoardError "cancelled"
 */
export const readHostKey = async (hop: Hop, known: readonly HostKey[], way: WayThere): Promise<ShownKey> => {
  if (known.length === 0) return await lookAtKey(hop, undefined, way);
  try {
    return await lookAtKey(
      hop,
      known.map(({ type }) => type),
      way,
    );
  } catch (error) {
    if (!(error instanceof AttemptError) || !/no matching/i.test(error.message)) throw error;
    return await lookAtKey(hop, undefined, way);
  }
};

const lookAtKey = async (
  hop: Hop,
  keyTypes: readonly string[] | undefined,
  { keyExchanges, through, signal }: WayThere,
): Promise<ShownKey> => {
  let key: ShownKey | undefined;
  const socket = await through();
  try {
    const client = await openClient({
      hop,
      keyExchanges,
      ...(socket === undefined ? {} : { through: socket }),
      ...(keyTypes === undefined ? {} : { keyTypes }),
      ...(signal === undefined ? {} : { signal }),
      verify: (found) => {
        key = found;
        return false;
      },
    });
    endClient(client);
    throw new Error("a host was accepted although its verifier said no");
  } catch (error) {
    if (key !== undefined) return key;
    throw error;
  }
};
