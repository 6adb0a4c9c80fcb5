import type { TableLayout } from "./layout.ts";
import { oneLine } from "./text.ts";

/** One line of GitHub-flavoured Markdown that shows exactly this text. */
const escapeMarkdown = (text: string): string => oneLine(text).replace(/[\\`*_[\]<>|~&#$!]/g, "\\$&");

export const renderMarkdown = ({ caption, header, rows, best, footer, notes }: TableLayout): string => {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const escaped = (cells: readonly string[]) => line(cells.map(escapeMarkdown));
  return [
    `${escapeMarkdown(caption)}.`,
    "",
    escaped(header),
    line(header.map((_, i) => (i === 0 ? ":---" : "---:"))),
    ...rows.map((row, i) =>
      line(
        row.map((cell, column) =>
          i === best && column === row.length - 1 ? `**${escapeMarkdown(cell)}**` : escapeMarkdown(cell),
        ),
      ),
    ),
    ...footer.map(escaped),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `- ${escapeMarkdown(note)}`)] : []),
    "",
  ].join("\n");
};
