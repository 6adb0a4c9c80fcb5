import { roundRecords, tableRecords, toCsv } from "./csv.ts";
import { renderLatex } from "./latex.ts";
import { captionOf, layOut } from "./layout.ts";
import { renderMarkdown } from "./markdown.ts";
import { parseAt, type ReportInput, type Summary, summarise } from "./summary.ts";
import { renderText } from "./text.ts";

export { parseAt, summarise };

export const TABLE_FORMATS = ["text", "csv", "markdown", "latex", "json"] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/**
 * The table of a study as text that ends with a line break.
 * "text" aligned for a terminal · "csv" RFC 4180 · "markdown" GitHub's tables · "latex" booktabs, with what a reader
 * has to know in its caption · "json" everything, unrounded, the runs with their rounds included.
 */
export const renderTable = (summary: Summary, format: TableFormat): string => {
  switch (format) {
    case "text":
      return renderText(layOut(summary, captionOf(summary)));
    case "csv":
      return toCsv(tableRecords(summary));
    case "markdown":
      return renderMarkdown(layOut(summary, captionOf(summary)));
    case "latex":
      return renderLatex(layOut(summary, captionOf(summary)), summary.study.id);
    case "json":
      return `${JSON.stringify(summary, null, 2)}\n`;
  }
};

/**
 * Every round of every run in long form, one record each.
 * Numbers are written so that they read back as the very same doubles; an unknown one is an empty field or null.
 */
export const renderRounds = (input: Pick<ReportInput, "study" | "runs">, format: "csv" | "json"): string => {
  const records = roundRecords([input]);
  if (format === "csv") return toCsv(records);
  const [names, ...rows] = records;
  const objects = rows.map((row) => Object.fromEntries(names!.map((name, i) => [name, row[i] ?? null])));
  return `${JSON.stringify(objects, null, 2)}\n`;
};
