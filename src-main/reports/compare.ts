import type { Comparison } from "#contract/views.ts";
import { type ComparedStudy, rowsOf, withShortNames } from "./compared.ts";
import { fairnessOf } from "./fairness.ts";
import { differencesOf, settingsOf } from "./settings.ts";
import { type At, type Table, tabulate } from "./summary.ts";

const FEW = ["No trial", "One trial", "Two trials", "Three trials", "Four trials"];

/** What a reader has to know that the table of one study does not say by itself. */
const notesOf = (table: Table, studies: readonly ComparedStudy[]): string[] => {
  const notes = [...table.notes];
  const classes = [...new Set(studies.map((study) => study.classes.length))];
  if (table.metric === "accuracy" && classes.length > 1) {
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

export interface Compared {
  /** Rows are called by their labels. */
  readonly table: Table;
  readonly comparison: Omit<Comparison, "curves">;
}

/**
 * Compares the runs of one study, or of several: one row per study and algorithm in the given order, each row against
 * the first, paired by trial.
 * @throws Error on two runs of one study, algorithm and trial.
 */
export const compare = (studies: readonly ComparedStudy[], at: At = "last"): Compared => {
  const rows = rowsOf(studies);
  const classes = new Set(studies.map((study) => study.classes.length));
  const figures = tabulate(
    rows.map(({ label, study, runs }) => ({ label, planned: study.settings.rounds, runs })),
    classes.size === 1 ? [...classes][0]! : 0,
    at,
  );
  const table = { ...figures, notes: notesOf(figures, studies) };
  const settings = rows.map(({ algorithm, study }) => ({ algorithm, settings: settingsOf(study.settings) }));
  const differences = differencesOf(settings);
  const named = rowsOf(withShortNames(studies));
  const fairness = rows.length < 2 ? [] : fairnessOf(named, table, differences);
  const head = rows.map(({ label, algorithm, study }) => ({
    key: `${study.id}/${algorithm}`,
    label,
    study: study.id,
    studyName: study.name,
    algorithm,
  }));
  return {
    table,
    comparison: {
      metric: table.metric,
      at,
      chance: table.chance,
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
      improvements: table.improvements.map(({ against, cells, mean, deviation, n }, i) => ({
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
