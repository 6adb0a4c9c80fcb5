/**
 * The same algorithm has the same colour everywhere. Hues that colour-blind people tell apart come first; dashes
 * tell the later ones apart without colour.
 */
const LOOKS: Readonly<Record<string, { readonly colour: string; readonly dash: string | undefined }>> = {
  fedavg: { colour: "var(--series-1)", dash: undefined },
  fedntd: { colour: "var(--series-2)", dash: undefined },
  fedprox: { colour: "var(--series-3)", dash: undefined },
  fedper: { colour: "var(--series-4)", dash: undefined },
  fedavgm: { colour: "var(--series-5)", dash: "7 3" },
  fedadam: { colour: "var(--series-6)", dash: "7 3" },
  fedyogi: { colour: "var(--series-7)", dash: "7 3" },
  fedmedian: { colour: "var(--series-8)", dash: "2 3" },
  fedtrimmedavg: { colour: "var(--series-9)", dash: "2 3" },
};
const UNKNOWN = { colour: "var(--series-9)", dash: "1 3" };

export const lookOf = (algorithm: string): { readonly colour: string; readonly dash: string | undefined } =>
  LOOKS[algorithm] ?? UNKNOWN;

/** Where the same algorithm of several studies is compared, the study is told by its dash. */
const STUDY_DASHES: readonly (string | undefined)[] = [undefined, "6 3", "2 3", "10 3 2 3", "1 4"];
export const dashOfStudy = (index: number): string | undefined => STUDY_DASHES[index % STUDY_DASHES.length];
