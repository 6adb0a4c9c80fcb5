import type { TableLayout } from "./layout.ts";
import { oneLine } from "./text.ts";

const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
  "`": "\\textasciigrave{}",
  "±": "$\\pm$",
  "×": "$\\times$",
  "−": "$-$",
  "–": "--",
  "—": "---",
  "…": "\\ldots{}",
  "\uFFFD": "?",
};

/** One line of LaTeX that prints exactly this text; letters beyond ASCII stay as UTF-8. */
const escapeLatex = (text: string): string =>
  oneLine(text).replace(/[\\{}$&#%_~^<>|"`±×−–—…\uFFFD]/gu, (c) => LATEX[c] ?? c);

/** A figure, with a minus sign in place of the hyphen. */
const cellText = (text: string): string => escapeLatex(text).replace(/^-(?=\d)/, "$-$");

/** A table for a paper, in the style of the booktabs package. */
export const renderLatex = (layout: TableLayout, label: string): string => {
  const { caption, header, rows, best, footer, notes } = layout;
  // In braces, because LaTeX would read "[" after "\\" as an optional argument.
  const line = (cells: readonly string[]) => `    ${cells.join(" & ").replace(/^\[/, "{[}")} \\\\`;
  const body = rows.map((row, i) =>
    line(
      row.map((cell, column) => {
        if (column === 0) return escapeLatex(cell);
        return i === best && column === row.length - 1 ? `\\textbf{${cellText(cell)}}` : cellText(cell);
      }),
    ),
  );
  const foot = footer.map((row) =>
    line(row.map((cell, i) => (i === 0 ? escapeLatex(cell) : cellText(cell)))),
  );
  const sentences = [caption, ...notes].map((s) => escapeLatex(s).replace(/\.?$/, "."));
  return [
    "% \\usepackage{booktabs}, and \\usepackage[T1]{fontenc} for quotation marks",
    "\\begin{table}",
    "  \\centering",
    `  \\caption{${sentences.join(" ")}}`,
    `  \\label{tab:${label.replace(/[^\w-]/g, "-")}}`,
    `  \\begin{tabular}{l${"r".repeat(header.length - 1)}}`,
    "    \\toprule",
    line(header.map(escapeLatex)),
    "    \\midrule",
    ...body,
    ...(foot.length > 0 ? ["    \\midrule", ...foot] : []),
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
};
