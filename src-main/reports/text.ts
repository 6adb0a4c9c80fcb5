import stringWidth from "string-width";
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

/** At most `width` columns, the cut shown by "…". */
export const cut = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text;
  let kept = "";
  for (const { segment } of segmenter.segment(text)) {
    if (stringWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
};

/** Aligned columns for a terminal. */
export const renderText = ({ caption, header, rows, footer, notes }: TableLayout): string => {
  const grid = [header, ...rows, ...footer].map((row) =>
    row.map((cell, i) => (i === 0 ? cut(oneLine(cell), LABEL_WIDTH) : oneLine(cell))),
  );
  const widths = header.map((_, i) => Math.max(...grid.map((row) => stringWidth(row[i] ?? ""))));
  const lines = grid.map((row) =>
    row
      .map((cell, i) => {
        const gap = " ".repeat((widths[i] ?? 0) - stringWidth(cell));
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
