import type { ExportFormat } from "#contract/export-formats.ts";
import { roundRecords, tableRecords, toCsv } from "./csv.ts";
import { renderLatex } from "./latex.ts";
import { renderMarkdown } from "./markdown.ts";
import type { Report } from "./report.ts";
import { type Sheet, workbookOf } from "./sheets.ts";
import { renderText } from "./text.ts";

/** A format's way to write a report: text that ends with a line break, or the sheets of a workbook. */
type Write = (report: Report) => string | readonly Sheet[];

/** How each format is written: a new one needs its file and one line here. */
const WRITE: Readonly<Record<ExportFormat, Write>> = {
  csv: ({ table }) => toCsv(tableRecords(table)),
  "rounds-csv": ({ rounds }) => toCsv(roundRecords(rounds)),
  markdown: ({ layout }) => renderMarkdown(layout()),
  latex: ({ layout, label }) => renderLatex(layout(true), label),
  text: ({ layout }) => renderText(layout()),
  json: ({ document }) => `${JSON.stringify(document(), null, 2)}\n`,
  xlsx: ({ table, rounds, about }) => workbookOf(table, rounds, about),
};

/** A report in a format: text that ends with a line break, or the sheets of a workbook. */
export const writeReport = (report: Report, format: ExportFormat): string | readonly Sheet[] =>
  WRITE[format](report);
