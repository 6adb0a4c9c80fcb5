import { useNow } from "#renderer/state/use-states.ts";
import { wholeSeconds } from "./format.ts";

/** "14 s": the time since a moment, in milliseconds of Date.now(), counted up every second. */
export const Elapsed = ({ since }: { readonly since: number }) =>
  wholeSeconds(Math.floor((useNow() - since) / 1000));

/** "in 14 s", then "now"; counted down every second. */
export const Countdown = ({ until }: { readonly until: string }) => {
  const seconds = Math.ceil((Date.parse(until) - useNow()) / 1000);
  return seconds <= 0 ? "now" : `in ${wholeSeconds(seconds)}`;
};
