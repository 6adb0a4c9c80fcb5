/** A wait gets said from here on. */
export const SILENT_MS = 2000;

/** What a person can do who watches a round wait. */
export const NEXT = "Press Ctrl-C to stop after this round.";

/** "a, b, c and 5 more". */
export const someOf = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
};
