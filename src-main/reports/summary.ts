import type { RunStatus } from "#contract/events.ts";

/** One round of a run as a report needs it; a RoundResult is one. */
export interface ReportRound {
  readonly round: number;
  /** 0 to 1; null where none was measured. */
  readonly accuracy: number | null;
  /** Mean cross-entropy in nats; null where none was measured. */
  readonly loss: number | null;
  /** The devices whose update was folded, or how many there were. */
  readonly clients?: readonly string[] | number;
  /** The failures, or how many there were. */
  readonly failures?: readonly unknown[] | number;
  readonly examples?: number;
  readonly weightsSha256?: string;
  readonly seconds?: number;
}

export interface ReportRun {
  readonly algorithm: string;
  /** From 1. */
  readonly trial: number;
  readonly seed: number;
  readonly status: RunStatus;
  readonly reason?: string | null;
  /** Round 0, if there, is the evaluation of the first weights: no result of the algorithm. */
  readonly rounds: readonly ReportRound[];
}

export interface ReportInput {
  readonly study: {
    readonly id: string;
    readonly name: string;
    readonly model: string;
    readonly dataset: string;
    /** Planned rounds per run. */
    readonly rounds: number;
  };
  /** How many classes the data has; 0 where that is not known. */
  readonly classes: number;
  readonly runs: readonly ReportRun[];
}

/** Which figure of a run stands in the table. A number is a round. */
export type At = "last" | "best" | "last5" | number;

export interface Spread {
  readonly mean: number | null;
  /** Sample standard deviation (n - 1); null below two values. */
  readonly deviation: number | null;
  readonly n: number;
}

export interface Cell {
  readonly trial: number;
  /** Accuracy 0 to 1, or loss in nats, unrounded; null where the run has no such figure, and a note says why. */
  readonly value: number | null;
  /** Why there is no figure, or what is special about it. */
  readonly note?: string;
}

export interface AlgorithmRow extends Spread {
  readonly algorithm: string;
  /** One per trial of the summary, in its order. */
  readonly cells: readonly Cell[];
}

/** How much better `algorithm` is than `against`, trial by trial; above 0 is better (a loss that is lower). */
export interface ImprovementRow extends AlgorithmRow {
  readonly against: string;
}

/** Figures by algorithm and trial, and what they say of each other. */
export interface Table {
  /** "loss" only where no run has any accuracy. */
  readonly metric: "accuracy" | "loss";
  readonly at: At;
  /** Accuracy of guessing, 1 / classes; null for a loss and where the classes are not known. */
  readonly chance: number | null;
  readonly trials: readonly number[];
  readonly rows: readonly AlgorithmRow[];
  /** Each algorithm but the first against the first. */
  readonly improvements: readonly ImprovementRow[];
  /** What a reader has to know: missing figures, and how a best round was chosen. */
  readonly notes: readonly string[];
}

/** The table of one study. */
export interface Summary extends Table {
  readonly study: ReportInput["study"];
  readonly runs: readonly ReportRun[];
}

/** What a row of a table is made of: the runs of one algorithm, at most one per trial. */
export interface RowInput {
  /** What the row is called, unlike any other. */
  readonly label: string;
  /** Planned rounds per run. */
  readonly planned: number;
  readonly runs: readonly ReportRun[];
}

/**
 * Mean and sample standard deviation of the values that are there.
 * The deviation of paired differences is that of the differences, so trials that are hard for both algorithms
 * do not blur their comparison.
 */
export const spread = (values: readonly (number | null)[]): Spread => {
  const known = values.filter((v) => v !== null);
  const n = known.length;
  if (n === 0) return { mean: null, deviation: null, n };
  const mean = known.reduce((sum, v) => sum + v, 0) / n;
  if (n === 1) return { mean, deviation: null, n };
  const squares = known.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (n - 1)), n };
};

/** What `--at` may say. @returns undefined for anything else. */
export const parseAt = (text: string): At | undefined => {
  if (text === "last" || text === "best" || text === "last5") return text;
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
};

type Metric = Summary["metric"];
type Figure = Omit<Cell, "trial">;

const isFigure = (v: number | null): v is number => v !== null && Number.isFinite(v);

/** The figure of one run, or why there is none. */
const figureOf = (run: ReportRun, planned: number, metric: Metric, at: At): Figure => {
  const rounds = run.rounds.filter((r) => r.round > 0).toSorted((a, b) => a.round - b.round);
  const last = rounds.at(-1);
  const progress = last === undefined ? "before its first round" : `after round ${last.round} of ${planned}`;
  const why = run.reason ? `: ${run.reason}` : "";
  if (typeof at === "number") {
    const round = rounds.find((r) => r.round === at);
    if (round !== undefined) return measured(round[metric], `in round ${at}`, metric);
    return { value: null, note: `has no round ${at}: ${run.status} ${progress}${why}` };
  }
  // An unfinished run has a last round, too, but that is not the one that the others are compared at.
  if (run.status !== "done") return { value: null, note: `${run.status} ${progress}${why}` };
  if (last === undefined) return { value: null, note: `has no round${why}` };
  const early = last.round < planned ? { note: `ended ${progress}${why}` } : {};
  if (at === "last") return { ...measured(last[metric], `in round ${last.round}`, metric), ...early };
  if (at === "best") {
    const values = rounds.map((r) => r[metric]).filter(isFigure);
    const value = metric === "accuracy" ? Math.max(...values) : Math.min(...values);
    return { ...measured(values.length > 0 ? value : null, "in any round", metric), ...early };
  }
  const five = rounds.slice(-5);
  const { mean } = spread(five.map((r) => (isFigure(r[metric]) ? r[metric] : null)));
  if (five.some((r) => !isFigure(r[metric]))) {
    return measured(null, "in each of its last five rounds", metric);
  }
  if (five.length < 5) return { value: mean, note: `has only ${five.length} round(s) to take the mean of` };
  return { value: mean, ...early };
};

const measured = (value: number | null, where: string, metric: Metric): Figure =>
  isFigure(value) ? { value } : { value: null, note: `no finite ${metric} was measured ${where}` };

const BEST_NOTE =
  "Each run shows its best round, which was chosen on the test set itself: such figures are too good, and are " +
  "not comparable with those of a last round.";

/**
 * Rows × trials, mean and deviation, and each row's improvement over the first, paired by trial (a trial counts for
 * it only where both have a figure).
 * @param classes how many classes the data has; 0 where that is not known or not the same in all rows
 * @param at "last" the last round of a finished run; "best" its best round; "last5" the mean of its last five;
 *   a number that round, also of an unfinished run
 * @throws Error on two runs of one row and trial.
 */
export const tabulate = (inputs: readonly RowInput[], classes: number, at: At = "last"): Table => {
  const runs = inputs.flatMap((row) => row.runs);
  const hasAccuracy = runs.some((run) => run.rounds.some((r) => r.round > 0 && isFigure(r.accuracy)));
  const hasLoss = runs.some((run) => run.rounds.some((r) => r.round > 0 && isFigure(r.loss)));
  const metric: Metric = !hasAccuracy && hasLoss ? "loss" : "accuracy";
  const trials = [...new Set(runs.map((run) => run.trial))].sort((a, b) => a - b);
  const notes: string[] = [];

  const rows = inputs.map(({ label, planned, runs: ofRow }): AlgorithmRow => {
    const cells = trials.map((trial): Cell => {
      const found = ofRow.filter((run) => run.trial === trial);
      if (found.length > 1) throw new Error(`there are two runs of ${label}, trial ${trial}`);
      const run = found[0];
      const figure: Figure =
        run === undefined ? { value: null, note: "no such run" } : figureOf(run, planned, metric, at);
      if (figure.note !== undefined) notes.push(`${label}, trial ${trial}: ${figure.note}`);
      return { trial, ...figure };
    });
    return { algorithm: label, cells, ...spread(cells.map((c) => c.value)) };
  });

  const [first, ...others] = rows;
  const improvements = others.map((row): ImprovementRow => {
    const cells = row.cells.map(({ trial, value }, i): Cell => {
      const base = first!.cells[i]!.value;
      if (value === null || base === null) return { trial, value: null };
      return { trial, value: metric === "accuracy" ? value - base : base - value };
    });
    return {
      algorithm: row.algorithm,
      against: first!.algorithm,
      cells,
      ...spread(cells.map((c) => c.value)),
    };
  });
  if (improvements.some((row) => row.n < trials.length)) {
    notes.push("An improvement is taken over the trials in which both algorithms have a figure.");
  }
  if (at === "best") notes.push(BEST_NOTE);
  const chance = metric === "accuracy" && classes >= 2 ? 1 / classes : null;
  return { metric, at, chance, trials, rows, improvements, notes };
};

/** The runs of each algorithm, in the order in which the algorithms come first. */
export const byAlgorithm = <R extends { readonly algorithm: string }>(
  runs: readonly R[],
): [string, R[]][] => [...Map.groupBy(runs, (run) => run.algorithm)];

/**
 * The table of a study: algorithms × trials.
 * @param input runs in the order of the study; the first one's algorithm is the one to compare with
 * @param at as `tabulate` takes it
 * @throws Error on two runs of one algorithm and trial.
 */
export const summarise = ({ study, classes, runs }: ReportInput, at: At = "last"): Summary => {
  const rows = byAlgorithm(runs).map(([label, ofIt]) => ({ label, planned: study.rounds, runs: ofIt }));
  return { study, ...tabulate(rows, classes, at), runs };
};
