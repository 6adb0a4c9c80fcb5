import { type Metric, metricOf } from "#contract/metrics.ts";
import { metricsOf } from "#contract/tasks/tasks.ts";
import type { Comparison } from "#contract/views.ts";
import { type ComparedStudy, rowsOf, withShortNames } from "./compared.ts";
import { fairnessOf } from "./fairness.ts";
import { differencesOf, settingsOf } from "./settings.ts";
import { type At, chooseMetric, noSuchMetric, reportedIn, type Table, tabulate } from "./summary.ts";

const FEW = ["No trial", "One trial", "Two trials", "Three trials", "Four trials"];

/** What a reader has to know that the table of one study does not say by itself. */
const notesOf = (table: Table, studies: readonly ComparedStudy[]): string[] => {
  const notes = [...table.notes];
  const chances = new Set(
    studies.map(
      ({ settings, classes }) => metricOf(table.metric.id, settings.metrics, classes.length).chance,
    ),
  );
  if (chances.size > 1) {
    const classes = [...new Set(studies.map((study) => study.classes.length))];
    notes.push(`There is no common chance level: the studies have ${classes.join(", ")} classes.`);
  }
  const fewest = Math.min(...table.improvements.map((row) => row.n));
  const few = FEW[fewest];
  if (few !== undefined) {
    const short = fewest === 1 ? "is too few" : fewest === 0 ? "has figures, too few" : "are too few";
    notes.push(`${few} ${short} for a claim of significance.`);
  }
  return notes;
};

/** The metrics of all the studies; a chance level only where it is the same in all. */
const commonMetrics = (studies: readonly ComparedStudy[]): readonly Metric[] => {
  const classes = new Set(studies.map((study) => study.classes.length));
  const common = classes.size === 1 ? [...classes][0]! : 0;
  const byId = new Map<string, Metric>();
  for (const { settings, runs } of studies) {
    for (const metric of metricsOf(settings, reportedIn(runs), common)) {
      if (!byId.has(metric.id)) byId.set(metric.id, metric);
    }
  }
  return [...byId.values()];
};

export interface Compared {
  /** Rows are called by their labels. */
  readonly table: Table;
  readonly comparison: Omit<Comparison, "curves">;
}

/**
 * Compares the runs of one study, or of several: one row per study and algorithm in the given order, each row against
 * the first, paired by trial.
 * @param wanted id of the metric; default: the first that any round knows
 * @throws UserError when none of the studies knows the metric; Error on two runs of one study, algorithm and trial
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
