/** A wait is reported once it has lasted this long. */
export const SILENT_MS = 2000;

/** Tells a person who watches that nothing needs doing; how to stop is said where this is shown. */
export const NEXT = "It continues by itself.";

/** "a, b, c and 5 more". */
export const someOf = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
};
