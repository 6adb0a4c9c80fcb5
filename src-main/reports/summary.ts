import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { RunStatus } from "#contract/events.ts";
import { UserError } from "#contract/failure.ts";
import { bestOf, gainOf, type Metric, type MetricValues, metricWord } from "#contract/metrics.ts";

/** One round of a run as a report needs it; a RoundResult is one. */
export interface ReportRound {
  readonly round: number;
  readonly metrics: MetricValues;
  /** The devices whose update was aggregated, or how many there were. */
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
  /** Round 0, where there is one, is the evaluation of the initial weights, not a result of the algorithm. */
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
  /** The metrics that its rounds can be judged by, the primary one first. */
  readonly metrics: readonly Metric[];
  readonly runs: readonly ReportRun[];
}

/** Which figure of a run the table shows. A number is a round. */
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
  /** Its identifier; in a table of several studies, followed by the study's name. */
  readonly algorithm: string;
  /** The same, as people read it. */
  readonly title: string;
  /** One per trial of the summary, in its order. */
  readonly cells: readonly Cell[];
}

/** How much better `algorithm` is than `against`, trial by trial; above 0 is better, in either direction. */
export interface ImprovementRow extends AlgorithmRow {
  readonly against: string;
  readonly againstTitle: string;
}

/** Figures by algorithm and trial, and the improvements between them. */
export interface Table {
  readonly metric: Metric;
  readonly at: At;
  readonly trials: readonly number[];
  readonly rows: readonly AlgorithmRow[];
  /** Each algorithm but the first vs. the first. */
  readonly improvements: readonly ImprovementRow[];
  /** What a reader has to know: which figures are missing and why, and how a best round was chosen. */
  readonly notes: readonly string[];
}

/** The table of one study. */
export interface Summary extends Table {
  readonly study: ReportInput["study"];
  readonly runs: readonly ReportRun[];
}

/** The runs behind one row of a table: those of one algorithm, at most one per trial. */
export interface RowInput {
  /** Unique among the rows. */
  readonly label: string;
  /** The same, as people read it. */
  readonly title: string;
  /** Planned rounds per run. */
  readonly planned: number;
  readonly runs: readonly ReportRun[];
}

/**
 * Mean and sample standard deviation of the values, nulls left out. For improvements, the values are the paired
 * differences, so trials that are hard for both algorithms do not blur their comparison.
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

/** Reads the value of `--at`. @returns undefined for text that is not one. */
export const parseAt = (text: string): At | undefined => {
  if (text === "last" || text === "best" || text === "last5") return text;
  return /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
};

type Figure = Omit<Cell, "trial">;

const isFigure = (v: number | null): v is number => v !== null && Number.isFinite(v);

const valueIn = ({ metrics }: ReportRound, { id }: Metric): number | null =>
  Object.hasOwn(metrics, id) ? (metrics[id] ?? null) : null;

/** Whether any round after training has a figure of it. */
const isKnown = (metric: Metric, runs: readonly ReportRun[]): boolean =>
  runs.some((run) => run.rounds.some((r) => r.round > 0 && isFigure(valueIn(r, metric))));

/**
 * The metric of a table: the given one, else the first that any round has, else the primary one.
 * @param metrics the primary one first @returns undefined where none has the given id
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
  // An unfinished run has a last round, too, but it is not comparable with the last rounds of finished runs.
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
  if (five.length < 5)
    return { value: mean, note: `the mean of only ${five.length} round${five.length === 1 ? "" : "s"}` };
  return { value: mean, ...early };
};

const measured = (value: number | null, where: string, metric: Metric): Figure =>
  isFigure(value) ? { value } : { value: null, note: `no finite value of ${metricWord(metric)} ${where}` };

const BEST_NOTE =
  "Each run shows its best round, chosen on the test set itself. Such figures are optimistic; do not compare them " +
  "with figures of a last round.";

/**
 * Rows × trials, mean and deviation, and each row's improvement over the first, paired by trial (a trial counts only
 * where both rows have a figure).
 * @param metric what the table shows
 * @param at "last": the last round of a finished run; "best": its best round; "last5": the mean of its last five;
 *   a number: that round, also of an unfinished run
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
    notes.push("An improvement counts only the trials in which both algorithms have a figure.");
  }
  if (at === "best") notes.push(BEST_NOTE);
  return { metric, at, trials, rows, improvements, notes };
};

/** The runs of each algorithm, in the order in which the algorithms first appear. */
export const byAlgorithm = <R extends { readonly algorithm: string }>(
  runs: readonly R[],
): [string, R[]][] => [...Map.groupBy(runs, (run) => run.algorithm)];

/**
 * The table of a study: algorithms × trials.
 * @param input runs in the order of the study; the algorithm of the first one is the baseline
 * @param at as `tabulate` takes it @param wanted id of the metric; default: as `chooseMetric` chooses
 * @throws UserError when the study has no such metric; Error on two runs of one algorithm and trial
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

/** Says which metrics there are. */
export const noSuchMetric = (wanted: string | undefined, metrics: readonly Metric[]): UserError =>
  new UserError(`there is no metric ${wanted}; choose one of ${metrics.map(({ id }) => id).join(", ")}`);
