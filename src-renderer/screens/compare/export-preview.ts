import { EXPORT_FORMAT_NAMES, EXPORT_FORMATS, type ExportFormat } from "#contract/export-formats.ts";
import { count } from "#renderer/ui/format.ts";

/** A file that the table or the chart can become. */
export interface ExportKind {
  readonly key: ExportFormat | "svg" | "png";
  readonly label: string;
  /** What is in it, and what it is for. */
  readonly about: string;
}

export const KINDS: readonly ExportKind[] = [
  ...EXPORT_FORMAT_NAMES.map((key) => ({ key, ...EXPORT_FORMATS[key] })),
  { key: "svg", label: "Chart, SVG", about: "The chart as vector graphics, for Inkscape or LaTeX." },
  { key: "png", label: "Chart, PNG", about: "The chart as an image, for slides." },
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

/** A name that every file system takes: "fedavg-vs-fedntd-accuracy". */
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
