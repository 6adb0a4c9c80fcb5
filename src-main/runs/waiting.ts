/** A wait gets said from here on. */
export const SILENT_MS = 2000;

/** What a person can do who watches a round wait; how, is for whoever shows it to say. */
export const NEXT = "It goes on by itself.";

/** "a, b, c and 5 more". */
export const someOf = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
};
