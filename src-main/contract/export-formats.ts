/** What a table or its rounds can be taken away as, for pages, files and the command line. */
export interface ExportFormatDefinition {
  readonly label: string;
  /** What is in it, and what it is for: one sentence for a person who chooses. */
  readonly about: string;
  /** How its file's name ends. */
  readonly extension: string;
  readonly mediaType: string;
  /** "table": one figure per run, of a chosen round and metric · "rounds": every round of every run. */
  readonly content: "table" | "rounds";
}

/** A new format is one line here; how it is written is a line in reports/formats.ts, which the compiler asks for. */
export const EXPORT_FORMATS = {
  csv: {
    label: "CSV",
    about: "The table: one line per algorithm, rounded as on the page.",
    extension: "csv",
    mediaType: "text/csv",
    content: "table",
  },
  "rounds-csv": {
    label: "Rounds CSV",
    about: "One line per run and round: every curve, unrounded.",
    extension: "csv",
    mediaType: "text/csv",
    content: "rounds",
  },
  markdown: {
    label: "Markdown",
    about: "The table for a README or an issue.",
    extension: "md",
    mediaType: "text/markdown",
    content: "table",
  },
  latex: {
    label: "LaTeX",
    about: "The table for a paper, with booktabs rules.",
    extension: "tex",
    mediaType: "application/x-tex",
    content: "table",
  },
  text: {
    label: "Text",
    about: "The table in aligned columns, as the terminal shows it.",
    extension: "txt",
    mediaType: "text/plain",
    content: "table",
  },
  json: {
    label: "JSON",
    about: "Everything for a program: table, checks, notes.",
    extension: "json",
    mediaType: "application/json",
    content: "table",
  },
  xlsx: {
    label: "Excel",
    about: "A workbook: the table, every round, the study.",
    extension: "xlsx",
    mediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    content: "table",
  },
} as const satisfies Record<string, ExportFormatDefinition>;

export type ExportFormat = keyof typeof EXPORT_FORMATS;
export const EXPORT_FORMAT_NAMES = Object.keys(EXPORT_FORMATS) as [ExportFormat, ...ExportFormat[]];

export const isExportFormat = (text: string): text is ExportFormat => Object.hasOwn(EXPORT_FORMATS, text);
