import type { ExportFormat } from "#contract/views.ts";
import { count } from "#renderer/ui/format.ts";

/** A file that the table or the chart can become. */
export interface ExportKind {
  readonly key: ExportFormat | "svg" | "png";
  readonly label: string;
  /** What is in it, and what it is for. */
  readonly about: string;
}

export const KINDS: readonly ExportKind[] = [
  { key: "csv", label: "CSV", about: "The table: one line per algorithm, with the digits of a printed one." },
  { key: "rounds-csv", label: "Rounds CSV", about: "One line per run and round: every curve, unrounded." },
  { key: "markdown", label: "Markdown", about: "The table for a README or an issue." },
  { key: "latex", label: "LaTeX", about: "The table for a paper, with booktabs rules." },
  { key: "text", label: "Text", about: "The table in aligned columns, as the terminal shows it." },
  { key: "json", label: "JSON", about: "Everything for a program: table, checks, notes." },
  { key: "xlsx", label: "Excel", about: "A workbook: the table, every round, the study." },
  { key: "svg", label: "Chart, SVG", about: "The chart as lines, for Inkscape or LaTeX." },
  { key: "png", label: "Chart, PNG", about: "The chart as pixels, for slides." },
];

const LINES = 200;
const COLUMNS = 2000;

/** The first lines of a file; how many more there are. */
export const previewOf = (text: string): { readonly text: string; readonly more: number } => {
  const lines = text.replace(/\n$/, "").split("\n");
  const shown = lines
    .slice(0, LINES)
    .map((line) => (line.length > COLUMNS ? `${line.slice(0, COLUMNS)} …` : line));
  return { text: shown.join("\n"), more: lines.length - shown.length };
};

export const moreText = (more: number): string =>
  `${count(more)} more ${more === 1 ? "line" : "lines"} in the file.`;

/** A name that every file system takes: "fedavg-against-fedntd-accuracy". */
export const fileStem = (title: string, metric: string): string => {
  const words = `${title} ${metric}`.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-");
  return (
    words
      .replace(/^-+|-+$/g, "")
      .slice(0, 100)
      .replace(/-+$/, "")
      .toLowerCase() || "chart"
  );
};
