import { createSlots } from "#contract/slots.ts";

/**
 * A handshake takes this computer some milliseconds of computing. When a whole fleet answers at the same moment, the
 * event loop would do all of them in one go, and nothing else meanwhile: so a few at a time. One limit for the process,
 * since it has one event loop.
 */
const turns = createSlots(4);
/** A slow board does not hold up the others for longer than this. */
const MOST_MS = 500;

/**
 * Waits for a turn, which lasts until `over` is aborted.
 * @throws the reason when it is aborted before
 */
export const takeTurn = async (over: AbortSignal): Promise<void> => {
  const release = await turns.acquire(over);
  const timer = setTimeout(release, MOST_MS);
  over.addEventListener(
    "abort",
    () => {
      clearTimeout(timer);
      release();
    },
    { once: true },
  );
};
