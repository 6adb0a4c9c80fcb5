import { metricDocument, runDocument } from "#contract/documents.ts";
import type { Figure } from "#contract/views.ts";
import { compare } from "./compare.ts";
import { type ComparedStudy, withShortNames } from "./compared.ts";
import type { RoundsOf } from "./csv.ts";
import { captionOf, layOut, statistics, type TableLayout } from "./layout.ts";
import { type ReportInput, type Summary, summarise, type Table } from "./summary.ts";

/** The parts that formats are made of. Some are functions, because no format needs all of them. */
export interface Report {
  readonly table: Table;
  /** The runs with their rounds. */
  readonly rounds: readonly RoundsOf[];
  /** The table in words; `short`: with names that fit into a line of a paper. */
  layout(short?: boolean): TableLayout;
  /** The label of the table in a paper. */
  readonly label: string;
  /** Facts about the studies. */
  readonly about: readonly (readonly [string, string | number])[];
  /** For JSON: every figure unrounded, the runs with their rounds. */
  document(): unknown;
}

/**
 * The report of one study: algorithms × trials.
 * @throws UserError when the study has no such metric
 */
export const studyReport = (input: ReportInput, { at, metric }: Figure): Report =>
  reportOf(summarise(input, at, metric));

/** The report of an existing table. */
export const reportOf = (summary: Summary): Report => {
  const { study } = summary;
  return {
    table: summary,
    rounds: [summary],
    layout: () => layOut(summary, captionOf(summary)),
    label: study.id,
    about: aboutStudy(study),
    document: () => ({
      ...summary,
      ...metricDocument(summary.metric),
      runs: summary.runs.map(runDocument),
    }),
  };
};

/**
 * The report of several studies, or of single runs, in one table. A file does not show the checks, so whatever makes
 * the comparison unfair becomes a note of the table.
 * @throws UserError when none of the studies has the metric
 */
export const jointReport = (studies: readonly ComparedStudy[], figure: Figure): Report => {
  const { table, comparison } = withFairness(studies, figure);
  return {
    table,
    rounds: studies.map(({ id, name, runs }) => ({ study: { id, name }, runs })),
    layout(short = false) {
      if (!short) return layOut(table, captionOfAll(studies, table));
      const named = withShortNames(studies);
      const fitting = withFairness(named, figure).table;
      return layOut(fitting, captionOfAll(named, fitting));
    },
    label: studies.map(({ id }) => id).join("-"),
    about: studies.flatMap(({ id, name, settings: { model, dataset, rounds } }) =>
      aboutStudy({ id, name, model, dataset, rounds }),
    ),
    document: () => ({
      ...comparison,
      ...metricDocument(table.metric),
      studies: studies.map((study) => ({ ...study, runs: study.runs.map(runDocument) })),
    }),
  };
};

const aboutStudy = ({ id, name, model, dataset, rounds }: ReportInput["study"]): Report["about"] => [
  ["study", id],
  ["name", name],
  ["model", model],
  ["data set", dataset],
  ["rounds", rounds],
];

const withFairness = (studies: readonly ComparedStudy[], { at, metric }: Figure) => {
  const { table, comparison } = compare(studies, at, metric);
  const unfair = comparison.fairness
    .filter(({ ok }) => !ok)
    .map(({ text }, i) => (i === 0 ? `Not a fair comparison. ${text}` : text));
  return { comparison, table: { ...table, notes: [...table.notes, ...unfair] } };
};

/** Studies that a caption names. */
const NAMED = 3;

const captionOfAll = (studies: readonly ComparedStudy[], table: Table): string => {
  const names = studies.slice(0, NAMED).map(({ id, name }) => `${name} (${id})`);
  const more = studies.length > NAMED ? ` and ${studies.length - NAMED} more` : "";
  const models = listed(studies.map(({ settings }) => settings.model));
  const data = listed(studies.map(({ settings }) => settings.dataset));
  return `${names.join(", ")}${more}: ${models} on ${data}, ${statistics(table)}`;
};

const listed = (items: readonly string[]): string => [...new Set(items)].join(", ");
