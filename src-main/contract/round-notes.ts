import type { RoundSummary } from "./events.ts";

const wordsOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** The notes of a round as people read them: "server step 1.70". Empty where the round has none. */
export const noteTexts = ({ notes = {} }: Pick<RoundSummary, "notes">): readonly string[] =>
  Object.entries(notes).map(([name, value]) => `${wordsOf(name)} ${value.toFixed(2)}`);
