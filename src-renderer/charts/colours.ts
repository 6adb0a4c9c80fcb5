import { definitionOf, isAlgorithm } from "#contract/algorithms/algorithms.ts";

/** A recorded algorithm that this version does not know. */
const UNKNOWN = { colour: "var(--series-9)", dash: "1 3" };

/**
 * The same algorithm has the same colour everywhere. Hues that colour-blind people tell apart come first; dashes
 * tell the later ones apart without colour.
 */
export const lookOf = (algorithm: string): { readonly colour: string; readonly dash: string | undefined } => {
  if (!isAlgorithm(algorithm)) return UNKNOWN;
  const { colour, dash } = definitionOf(algorithm).look;
  return { colour: `var(--series-${colour})`, dash };
};

/** Where the same algorithm of several studies is compared, the study is told by its dash. */
const STUDY_DASHES: readonly (string | undefined)[] = [undefined, "6 3", "2 3", "10 3 2 3", "1 4"];
export const dashOfStudy = (index: number): string | undefined => STUDY_DASHES[index % STUDY_DASHES.length];
