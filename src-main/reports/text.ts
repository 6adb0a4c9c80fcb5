import type { TableLayout } from "./layout.ts";

/** Columns that a label may take in a terminal before it is cut. */
const LABEL_WIDTH = 40;

/** On one line and without control characters: a name must not move the cursor of a terminal. */
export const oneLine = (text: string): string =>
  text
    .replace(/\s+/gu, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, "\uFFFD")
    .trim();

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const graphemes = (text: string): string[] => Array.from(segmenter.segment(text), (s) => s.segment);

// Scripts and signs that terminals draw two columns wide (after Unicode's East Asian Width W and F).
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a text takes in a terminal. */
export const displayWidth = (text: string): number =>
  graphemes(text).reduce((sum, g) => sum + (WIDE.test(g) ? 2 : 1), 0);

/** At most `width` columns, the cut shown by "…". */
export const cut = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let columns = 0;
  for (const g of graphemes(text)) {
    columns += displayWidth(g);
    if (columns > width - 1) break;
    kept += g;
  }
  return `${kept}…`;
};

/** Aligned columns for a terminal. */
export const renderText = ({ caption, header, rows, footer, notes }: TableLayout): string => {
  const grid = [header, ...rows, ...footer].map((row) =>
    row.map((cell, i) => (i === 0 ? cut(oneLine(cell), LABEL_WIDTH) : oneLine(cell))),
  );
  const widths = header.map((_, i) => Math.max(...grid.map((row) => displayWidth(row[i] ?? ""))));
  const lines = grid.map((row) =>
    row
      .map((cell, i) => {
        const gap = " ".repeat((widths[i] ?? 0) - displayWidth(cell));
        return i === 0 ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd(),
  );
  const rule = "─".repeat(widths.reduce((sum, w) => sum + w + 2, -2));
  return [
    oneLine(caption),
    "",
    lines[0],
    rule,
    ...lines.slice(1, rows.length + 1),
    ...(footer.length > 0 ? [rule, ...lines.slice(rows.length + 1)] : []),
    ...(notes.length > 0 ? ["", ...notes.map(oneLine)] : []),
    "",
  ].join("\n");
};
