import { compare } from "./compare.ts";
import { type ComparedStudy, withShortNames } from "./compared.ts";
import { roundRecords, tableRecords, toCsv } from "./csv.ts";
import { renderLatex } from "./latex.ts";
import { layOut, statistics } from "./layout.ts";
import { renderMarkdown } from "./markdown.ts";
import { type Sheet, workbookOf } from "./sheets.ts";
import type { At, Table } from "./summary.ts";
import { renderText } from "./text.ts";

export const JOINT_FORMATS = ["text", "csv", "markdown", "latex", "json", "rounds-csv"] as const;
export type JointFormat = (typeof JOINT_FORMATS)[number];

/** Studies that a caption names. */
const NAMED = 3;

const listed = (items: readonly string[]): string => [...new Set(items)].join(", ");

const captionOf = (studies: readonly ComparedStudy[], table: Table): string => {
  const names = studies.slice(0, NAMED).map(({ id, name }) => `${name} (${id})`);
  const more = studies.length > NAMED ? ` and ${studies.length - NAMED} more` : "";
  const models = listed(studies.map(({ settings }) => settings.model));
  const data = listed(studies.map(({ settings }) => settings.dataset));
  return `${names.join(", ")}${more}: ${models} on ${data}, ${statistics(table)}`;
};

/** A file goes where no list of checks stands beside it: what makes the rows no fair pair is a note of the table. */
const withFairness = (studies: readonly ComparedStudy[], at: At) => {
  const { table, comparison } = compare(studies, at);
  const unfair = comparison.fairness
    .filter(({ ok }) => !ok)
    .map(({ text }, i) => (i === 0 ? `Not a fair pair. ${text}` : text));
  return { comparison, table: { ...table, notes: [...table.notes, ...unfair] } };
};

const roundsOf = (studies: readonly ComparedStudy[]) =>
  studies.map(({ id, name, runs }) => ({ study: { id, name }, runs }));

/**
 * The table of several studies, or of single runs, as text that ends with a line break. The formats are those of the
 * table of one study; "json" has every figure unrounded, the checks, and the studies with their runs and rounds.
 */
export const renderJoint = (studies: readonly ComparedStudy[], at: At, format: JointFormat): string => {
  if (format === "rounds-csv") return toCsv(roundRecords(roundsOf(studies)));
  const { table, comparison } = withFairness(studies, at);
  if (format === "json") return `${JSON.stringify({ ...comparison, studies }, null, 2)}\n`;
  if (format === "csv") return toCsv(tableRecords(table));
  if (format === "latex") {
    // A line of a paper has room for so much of a name.
    const short = withShortNames(studies);
    const { table: fitting } = withFairness(short, at);
    return renderLatex(layOut(fitting, captionOf(short, fitting)), studies.map(({ id }) => id).join("-"));
  }
  const layout = layOut(table, captionOf(studies, table));
  if (format === "markdown") return renderMarkdown(layout);
  return renderText(layout);
};

/** The same as a workbook. */
export const jointSheets = (studies: readonly ComparedStudy[], at: At): Sheet[] => {
  const { table } = withFairness(studies, at);
  return workbookOf(
    table,
    roundsOf(studies),
    studies.flatMap(({ id, name, settings }): [string, string | number][] => [
      ["study", id],
      ["name", name],
      ["model", settings.model],
      ["data set", settings.dataset],
      ["rounds", settings.rounds],
    ]),
  );
};
