import { type Metric, metricOf, type ReportedMetrics } from "#contract/metrics.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { Comparison } from "#contract/views.ts";
import { type ComparedStudy, rowsOf, withShortNames } from "./compared.ts";
import { fairnessOf } from "./fairness.ts";
import { differencesOf, settingsOf } from "./settings.ts";
import { type At, chooseMetric, noSuchMetric, reportedIn, type Table, tabulate } from "./summary.ts";

const FEW = [
  "No trial has figures in all rows:",
  "One trial is",
  "Two trials are",
  "Three trials are",
  "Four trials are",
];

/** What a reader has to know beyond the notes of the table itself. */
const notesOf = (table: Table, studies: readonly ComparedStudy[]): string[] => {
  const contradicted = contradiction(table.metric.id, withShortNames(studies));
  const notes = [...table.notes, ...(contradicted === undefined ? [] : [contradicted])];
  const chances = new Set(
    studies.map(
      ({ settings, classes }) => metricOf(table.metric.id, settings.metrics, classes.length).chance,
    ),
  );
  if (chances.size > 1) {
    const classes = [...new Set(studies.map((study) => study.classes.length))];
    notes.push(`The studies have ${classes.join(", ")} classes, so they share no chance level.`);
  }
  const fewest = Math.min(...table.improvements.map((row) => row.n));
  const few = FEW[fewest];
  if (few !== undefined) {
    notes.push(`${few} too few to claim significance.`);
  }
  return notes;
};

/**
 * What the studies say of one metric: the first description, with the first title that one of them gives. A study
 * that does not describe it leaves that to the others.
 */
const descriptionOf = (id: string, studies: readonly ComparedStudy[]): Described | undefined => {
  const given = describedIn(id, studies).map(([, description]) => description);
  const [first] = given;
  const title = given.find((one) => one.title !== undefined)?.title;
  return first && { ...first, ...(title === undefined ? {} : { title }) };
};

type Described = ReportedMetrics[string];

const describedIn = (id: string, studies: readonly ComparedStudy[]): (readonly [string, Described])[] =>
  studies.flatMap(({ name, settings: { metrics = {} } }) =>
    Object.hasOwn(metrics, id) ? [[name, metrics[id]!] as const] : [],
  );

const inWords = ({ title, unit, better }: Described): string =>
  [...(title === undefined ? [] : [title]), ...(unit === "" ? [] : [unit]), `${better} is better`].join(", ");

/** A note where two study files describe a metric in ways that contradict each other; undefined where they agree. */
const contradiction = (id: string, studies: readonly ComparedStudy[]): string | undefined => {
  const given = describedIn(id, studies);
  const titles = given.flatMap(([, { title }]) => title ?? []);
  const forms = [titles, given.map(([, { unit }]) => unit), given.map(([, { better }]) => better)];
  if (forms.every((values) => new Set(values).size < 2)) return undefined;
  const said = given.map(([name, described]) => `${inWords(described)} in ${name}`);
  return `The studies describe ${id} differently: ${said.join("; ")}. This table uses the first description.`;
};

/** The metrics of all the studies; a chance level only where it is the same in all. */
const commonMetrics = (studies: readonly ComparedStudy[]): readonly Metric[] => {
  const classes = new Set(studies.map((study) => study.classes.length));
  const common = classes.size === 1 ? [...classes][0]! : 0;
  const ids = studies.flatMap(({ settings, runs }) =>
    metricsOf(settings, reportedIn(runs), common).map(({ id }) => id),
  );
  return [...new Set(ids)].map((id) => {
    const described = descriptionOf(id, studies);
    return metricOf(id, described === undefined ? {} : { [id]: described }, common);
  });
};

export interface Compared {
  /** Rows go by their labels. */
  readonly table: Table;
  readonly comparison: Omit<Comparison, "curves">;
}

/**
 * Compares the runs of one study, or of several: one row per study and algorithm in the given order, each row vs. the
 * first, paired by trial.
 * @param wanted id of the metric; default: the first that any round has
 * @throws UserError when none of the studies has the metric; Error on two runs of one study, algorithm and trial
 */
export const compare = (studies: readonly ComparedStudy[], at: At = "last", wanted?: string): Compared => {
  const rows = rowsOf(studies);
  const runs = rows.flatMap((row) => row.runs);
  const metrics = commonMetrics(studies);
  const metric = chooseMetric(metrics, runs, wanted);
  if (metric === undefined) throw noSuchMetric(wanted, metrics);
  const figures = tabulate(
    rows.map(({ label, title, study, runs: ofRow }) => ({
      label,
      title,
      planned: study.settings.rounds,
      runs: ofRow,
    })),
    metric,
    at,
  );
  const table = { ...figures, notes: notesOf(figures, studies) };
  const settings = rows.map(({ algorithm, study }) => ({ algorithm, settings: settingsOf(study.settings) }));
  const differences = differencesOf(settings);
  const named = rowsOf(withShortNames(studies));
  const fairness = rows.length < 2 ? [] : fairnessOf(named, table, differences);
  const head = rows.map(({ title, algorithm, study }) => ({
    key: `${study.id}/${algorithm}`,
    label: title,
    study: study.id,
    studyName: study.name,
    algorithm,
  }));
  return {
    table,
    comparison: {
      metric: table.metric,
      at,
      metrics,
      trials: table.trials,
      rows: table.rows.map(({ cells, mean, deviation, n }, i) => ({
        ...head[i]!,
        cells: cells.map((cell) => {
          const run = rows[i]!.runs.find(({ trial }) => trial === cell.trial);
          return { ...cell, ...(run === undefined ? {} : { run: run.id }) };
        }),
        mean,
        deviation,
        n,
      })),
      improvements: table.improvements.map(({ againstTitle: against, cells, mean, deviation, n }, i) => ({
        ...head[i + 1]!,
        against,
        cells: cells.map(({ trial, value }) => ({ trial, value })),
        mean,
        deviation,
        n,
      })),
      fair: fairness.every(({ ok }) => ok),
      fairness,
      differences,
      notes: table.notes,
    },
  };
};
