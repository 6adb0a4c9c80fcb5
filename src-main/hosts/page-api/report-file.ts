import { EXPORT_FORMATS, type ExportFormat } from "#contract/export-formats.ts";
import type { AtRound } from "#contract/views.ts";

/** Studies in a file name, and letters of each: names may have 255 bytes, and a letter may take four. */
const NAMED = 3;
const LETTERS = 16;
/** Where there is only one study. */
const LETTERS_ALONE = 55;

/** Text for any file system: letters and digits of any script, and dashes. */
const fileText = (text: string, most: number): string => {
  const plain = text.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-");
  return Array.from(plain)
    .slice(0, most)
    .join("")
    .replace(/^-+|-+$/g, "");
};

const atText = (at: AtRound): string => (typeof at === "number" ? `round-${at}` : at);

/**
 * The file name of a table: `demo-fedavg-vs-fedntd-last.csv`, `demo-vs-mine-round-30.tex`, `demo-rounds.csv`.
 * @param whole false if it has only some runs of the studies
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
