import type { Throttling } from "#contract/boards.ts";

/**
 * The bits of `vcgencmd get_throttled`, as the Raspberry Pi documentation numbers them: what is so now; 16 bits
 * higher, what has been so since the board was started.
 */
const BITS: readonly Throttling[] = [
  "undervoltage",
  "frequency-capped",
  "throttled",
  "soft-temperature-limit",
];
const SINCE_BOOT = 16;

/** @param text "0x50005", "50005" or "throttled=0x50005" */
export const readThrottled = (
  text: string,
): { now: readonly Throttling[]; sinceBoot: readonly Throttling[] } | undefined => {
  const digits = /^(?:throttled=)?(?:0x)?([0-9a-f]{1,8})$/i.exec(text.trim())?.[1];
  if (digits === undefined) return undefined;
  const bits = Number.parseInt(digits, 16);
  const at = (shift: number): Throttling[] => BITS.filter((_, i) => ((bits >>> (i + shift)) & 1) === 1);
  return { now: at(0), sinceBoot: at(SINCE_BOOT) };
};
