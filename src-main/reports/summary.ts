import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { RunStatus } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { bestOf, gainOf, type Metric, type MetricValues, metricWord } from "#contract/metrics.ts";

/** One round of a run as a report needs it; a RoundResult is one. */
export interface ReportRound {
  readonly round: number;
  readonly metrics: MetricValues;
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
  /** What its rounds may be judged by, the primary metric first. */
  readonly metrics: readonly Metric[];
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
  /** Unrounded; null where the run has no such figure, and a note says why. */
  readonly value: number | null;
  /** Why there is no figure, or what is special about it. */
  readonly note?: string;
}

export interface AlgorithmRow extends Spread {
  /** Its identifier; in a table of several studies with the study's name. */
  readonly algorithm: string;
  /** The same as people read it. */
  readonly title: string;
  /** One per trial of the summary, in its order. */
  readonly cells: readonly Cell[];
}

/** How much better `algorithm` is than `against`, trial by trial; above 0 is better, whichever direction is. */
export interface ImprovementRow extends AlgorithmRow {
  readonly against: string;
  readonly againstTitle: string;
}

/** Figures by algorithm and trial, and what they say of each other. */
export interface Table {
  readonly metric: Metric;
  readonly at: At;
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
  /** The same as people read it. */
  readonly title: string;
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

type Figure = Omit<Cell, "trial">;

const isFigure = (v: number | null): v is number => v !== null && Number.isFinite(v);

const valueIn = ({ metrics }: ReportRound, { id }: Metric): number | null =>
  Object.hasOwn(metrics, id) ? (metrics[id] ?? null) : null;

/** Whether any trained round has a figure of it. */
const isKnown = (metric: Metric, runs: readonly ReportRun[]): boolean =>
  runs.some((run) => run.rounds.some((r) => r.round > 0 && isFigure(valueIn(r, metric))));

/**
 * The metric of a table: the one that is wanted, else the first that any round knows, else the primary one.
 * @param metrics the primary one first @returns undefined where there is none of that id
 */
export const chooseMetric = (
  metrics: readonly Metric[],
  runs: readonly ReportRun[],
  wanted?: string,
): Metric | undefined =>
  wanted === undefined
    ? (metrics.find((metric) => isKnown(metric, runs)) ?? metrics[0])
    : metrics.find(({ id }) => id === wanted);

/** Ids of all metrics that the rounds of these runs have. */
export const reportedIn = (runs: readonly ReportRun[]): ReadonlySet<string> =>
  new Set(runs.flatMap((run) => run.rounds.flatMap(({ metrics }) => Object.keys(metrics))));

/** The figure of one run, or why there is none. */
const figureOf = (run: ReportRun, planned: number, metric: Metric, at: At): Figure => {
  const rounds = run.rounds.filter((r) => r.round > 0).toSorted((a, b) => a.round - b.round);
  const last = rounds.at(-1);
  const progress = last === undefined ? "before its first round" : `after round ${last.round} of ${planned}`;
  const why = run.reason ? `: ${run.reason}` : "";
  if (typeof at === "number") {
    const round = rounds.find((r) => r.round === at);
    if (round !== undefined) return measured(valueIn(round, metric), `in round ${at}`, metric);
    return { value: null, note: `has no round ${at}: ${run.status} ${progress}${why}` };
  }
  // An unfinished run has a last round, too, but that is not the one that the others are compared at.
  if (run.status !== "done") return { value: null, note: `${run.status} ${progress}${why}` };
  if (last === undefined) return { value: null, note: `has no round${why}` };
  const early = last.round < planned ? { note: `ended ${progress}${why}` } : {};
  if (at === "last")
    return { ...measured(valueIn(last, metric), `in round ${last.round}`, metric), ...early };
  if (at === "best") {
    const value = bestOf(
      metric,
      rounds.map((r) => valueIn(r, metric)),
    );
    return { ...measured(value, "in any round", metric), ...early };
  }
  const five = rounds.slice(-5).map((r) => valueIn(r, metric));
  const { mean } = spread(five.map((value) => (isFigure(value) ? value : null)));
  if (!five.every(isFigure)) {
    return measured(null, "in each of its last five rounds", metric);
  }
  if (five.length < 5) return { value: mean, note: `has only ${five.length} round(s) to take the mean of` };
  return { value: mean, ...early };
};

const measured = (value: number | null, where: string, metric: Metric): Figure =>
  isFigure(value)
    ? { value }
    : { value: null, note: `no finite ${metricWord(metric)} was measured ${where}` };

const BEST_NOTE =
  "Each run shows its best round, which was chosen on the test set itself: such figures are too good, and are " +
  "not comparable with those of a last round.";

/**
 * Rows × trials, mean and deviation, and each row's improvement over the first, paired by trial (a trial counts for
 * it only where both have a figure).
 * @param metric what the table shows
 * @param at "last" the last round of a finished run; "best" its best round; "last5" the mean of its last five;
 *   a number that round, also of an unfinished run
 * @throws Error on two runs of one row and trial.
 */
export const tabulate = (inputs: readonly RowInput[], metric: Metric, at: At = "last"): Table => {
  const runs = inputs.flatMap((row) => row.runs);
  const trials = [...new Set(runs.map((run) => run.trial))].sort((a, b) => a - b);
  const notes: string[] = [];

  const rows = inputs.map(({ label, title, planned, runs: ofRow }): AlgorithmRow => {
    const cells = trials.map((trial): Cell => {
      const found = ofRow.filter((run) => run.trial === trial);
      if (found.length > 1) throw new Error(`there are two runs of ${label}, trial ${trial}`);
      const run = found[0];
      const figure: Figure =
        run === undefined ? { value: null, note: "no such run" } : figureOf(run, planned, metric, at);
      if (figure.note !== undefined) notes.push(`${title}, trial ${trial}: ${figure.note}`);
      return { trial, ...figure };
    });
    return { algorithm: label, title, cells, ...spread(cells.map((c) => c.value)) };
  });

  const [first, ...others] = rows;
  const improvements = others.map((row): ImprovementRow => {
    const cells = row.cells.map(({ trial, value }, i): Cell => {
      const base = first!.cells[i]!.value;
      if (value === null || base === null) return { trial, value: null };
      return { trial, value: gainOf(metric, value, base) };
    });
    return {
      algorithm: row.algorithm,
      title: row.title,
      against: first!.algorithm,
      againstTitle: first!.title,
      cells,
      ...spread(cells.map((c) => c.value)),
    };
  });
  if (improvements.some((row) => row.n < trials.length)) {
    notes.push("An improvement is taken over the trials in which both algorithms have a figure.");
  }
  if (at === "best") notes.push(BEST_NOTE);
  return { metric, at, trials, rows, improvements, notes };
};

/** The runs of each algorithm, in the order in which the algorithms come first. */
export const byAlgorithm = <R extends { readonly algorithm: string }>(
  runs: readonly R[],
): [string, R[]][] => [...Map.groupBy(runs, (run) => run.algorithm)];

/**
 * The table of a study: algorithms × trials.
 * @param input runs in the order of the study; the first one's algorithm is the one to compare with
 * @param at as `tabulate` takes it @param wanted id of the metric; default: as `chooseMetric` has it
 * @throws UserError when no round of the study knows the metric; Error on two runs of one algorithm and trial
 */
export const summarise = (
  { study, metrics, runs }: ReportInput,
  at: At = "last",
  wanted?: string,
): Summary => {
  const rows = byAlgorithm(runs).map(([label, ofIt]) => ({
    label,
    title: titleOfAlgorithm(label),
    planned: study.rounds,
    runs: ofIt,
  }));
  const metric = chooseMetric(metrics, runs, wanted);
  if (metric === undefined) throw noSuchMetric(wanted, metrics);
  return { study, ...tabulate(rows, metric, at), runs };
};

/** What to write instead of a metric that there is not. */
export const noSuchMetric = (wanted: string | undefined, metrics: readonly Metric[]): UserError =>
  new UserError(`there is no metric ${wanted}; there are ${metrics.map(({ id }) => id).join(", ")}`);
