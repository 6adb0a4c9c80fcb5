/** Refusals of one address that are told within a minute. */
const TOLD_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Addresses that are remembered; beyond, all are forgotten, which only tells too much. */
const MAX_ADDRESSES = 1000;

/**
 * Says whether one more refusal of an address is to be told: a client that is restarted for ever, or a stranger who
 * keeps trying, must not fill the record of events.
 *
 * @param now milliseconds of a clock that never jumps
 */
export const createRefusalLimit = (
  now: () => number = () => performance.now(),
): ((ip: string | undefined) => boolean) => {
  const told = new Map<string, { count: number; since: number }>();
  return (ip = "") => {
    if (told.size > MAX_ADDRESSES) told.clear();
    const known = told.get(ip);
    if (known === undefined || now() - known.since >= MINUTE_MS) {
      told.set(ip, { count: 1, since: now() });
      return true;
    }
    known.count++;
    return known.count <= TOLD_PER_MINUTE;
  };
};
