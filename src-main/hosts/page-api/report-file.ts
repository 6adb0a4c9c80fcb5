import { EXPORT_FORMATS, type ExportFormat } from "#contract/export-formats.ts";
import type { AtRound } from "#contract/views.ts";

/** Studies that a file name names, and letters of each: file systems take 255 bytes, of which a letter may be four. */
const NAMED = 3;
const LETTERS = 16;
/** Of a study alone. */
const LETTERS_ALONE = 55;

/** What every file system can hold: letters and digits of any script, dots, dashes. */
const fileText = (text: string, most: number): string => {
  const plain = text.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-");
  return Array.from(plain)
    .slice(0, most)
    .join("")
    .replace(/^-+|-+$/g, "");
};

const atText = (at: AtRound): string => (typeof at === "number" ? `round-${at}` : at);

/**
 * What a table is called as a file: `demo-fedavg-vs-fedntd-last.csv`, `demo-vs-mine-round-30.tex`, `demo-rounds.csv`.
 * @param whole false where only some runs of the studies are in it
 */
export const fileName = (
  studies: readonly { readonly id: string; readonly name: string }[],
  whole: boolean,
  at: AtRound,
  format: ExportFormat,
): string => {
  const most = studies.length === 1 ? LETTERS_ALONE : LETTERS;
  const names = studies.slice(0, NAMED).map(({ id, name }) => fileText(name, most) || id);
  const more = studies.length > NAMED ? `-and-${studies.length - NAMED}-more` : "";
  const part = whole ? "" : "-some-runs";
  const figures = EXPORT_FORMATS[format].content === "rounds" ? "rounds" : atText(at);
  return `${names.join("-vs-")}${more}${part}-${figures}.${EXPORT_FORMATS[format].extension}`;
};
