/** Refusals of one address that are reported within a minute. */
const REPORTED_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
/** Addresses that are remembered. Beyond that all are forgotten: then some refusals are reported too often. */
const MAX_ADDRESSES = 1000;

/**
 * Decides whether to report one more refusal of an address: a client that restarts for ever, or a stranger who keeps
 * trying, must not fill the event log.
 *
 * @param now milliseconds of a clock that never jumps
 */
export const createRefusalLimit = (
  now: () => number = () => performance.now(),
): ((ip: string | undefined) => boolean) => {
  const reported = new Map<string, { count: number; since: number }>();
  return (ip = "") => {
    if (reported.size > MAX_ADDRESSES) reported.clear();
    const known = reported.get(ip);
    if (known === undefined || now() - known.since >= MINUTE_MS) {
      reported.set(ip, { count: 1, since: now() });
      return true;
    }
    known.count++;
    return known.count <= REPORTED_PER_MINUTE;
  };
};
