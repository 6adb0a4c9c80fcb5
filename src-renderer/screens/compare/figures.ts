import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import { bestOf, type Metric, metricText, metricWord } from "#contract/metrics.ts";
import { shortName } from "#contract/short-name.ts";
import type { AtRound, Comparison, ComparisonRow, StudyRow } from "#contract/views.ts";
import { count, plural, someOf } from "#renderer/ui/format.ts";

/** The table's figures and sentences; digits are those of the files that the lab writes. */

/** A share in percent with two digits, anything else with four. */
export const figure = (value: number | null, metric: Metric): string =>
  value === null || !Number.isFinite(value) ? "–" : metricText(metric, value);

/** A difference with its sign; what rounds to nothing has none. */
export const difference = (value: number | null, metric: Metric): string => {
  const text = figure(value, metric);
  const rounded = Number(text);
  return rounded > 0 ? `+${text}` : rounded === 0 ? text.replace("-", "") : text.replace("-", "−");
};

export const spread = (
  { mean, deviation }: Pick<ComparisonRow, "mean" | "deviation">,
  metric: Metric,
  show = figure,
): string =>
  `${show(mean, metric)}${mean === null || deviation === null ? "" : ` ± ${figure(deviation, metric)}`}`;

/** What a difference says at a glance; what rounds to nothing says nothing. */
export const toneOf = (value: number | null, metric: Metric): "better" | "worse" | undefined => {
  const text = difference(value, metric);
  return text.startsWith("+") ? "better" : text.startsWith("−") ? "worse" : undefined;
};

/** The row with the best mean, where all means are over equally many trials and one is best alone. */
export const bestKey = ({ rows, metric }: Pick<Comparison, "rows" | "metric">): string | undefined => {
  const n = rows[0]?.n ?? 0;
  if (rows.length < 2 || n === 0 || rows.some((row) => row.n !== n)) return undefined;
  const means = rows.map(({ mean }) => mean);
  const best = bestOf(metric, means);
  if (best === null || means.filter((mean) => mean === best).length > 1) return undefined;
  return rows[means.indexOf(best)]?.key;
};

export const measureOf = ({ metric, at }: Pick<Comparison, "metric" | "at">): string => {
  const word = metricWord(metric);
  const unit = metric.unit === "" ? "" : ` (${metric.unit})`;
  if (at === "last") return `${word} at the last round${unit}`;
  if (at === "best") return `${word} at the best round${unit}`;
  if (at === "last5") return `mean ${word} of the last five rounds${unit}`;
  return `${word} at round ${at}${unit}`;
};

/** "FedAvg vs. FedNTD"; one algorithm of several studies is told by their names. */
export const titleOf = (rows: readonly ComparisonRow[]): string => {
  const algorithms = [...new Set(rows.map(({ algorithm }) => titleOfAlgorithm(algorithm)))];
  const [first, ...others] = algorithms;
  if (first === undefined) return "Compare";
  if (others.length > 0) return `${first} vs. ${someOf(others)}`;
  const [name, ...names] = [...new Map(rows.map((row) => [row.study, shortName(row.studyName)])).values()];
  return names.length === 0 ? first : `${first}: ${name} vs. ${someOf(names)}`;
};

/** The table has the whole name. */
const LONG_NAME = 80;

/** "forgetting · 10 devices · 20 rounds · 3 trials"; where studies differ, from the least to the most. */
export const sentenceOf = (
  { rows, trials }: Pick<Comparison, "rows" | "trials">,
  studies: readonly StudyRow[],
): string => {
  const names = [...new Map(rows.map((row) => [row.study, row.studyName])).values()];
  const known = studies.filter(({ id }) => rows.some((row) => row.study === id));
  const range = (of: (study: StudyRow) => number, one: string): string[] => {
    const values = known.map(of);
    if (values.length === 0) return [];
    const least = Math.min(...values);
    const most = Math.max(...values);
    return [least === most ? plural(least, one) : `${count(least)} to ${plural(most, one)}`];
  };
  return [
    someOf(names.map((name) => (name.length > LONG_NAME ? `${name.slice(0, LONG_NAME - 1)}…` : name))),
    ...range(({ fleetSize }) => fleetSize, "device"),
    ...range(({ rounds }) => rounds, "round"),
    plural(trials.length, "trial"),
  ].join(" · ");
};

/** A comparison that only lacks trials may still become fair. */
export const verdictOf = ({
  rows,
  fairness,
}: Pick<Comparison, "rows" | "fairness">): "alone" | "fair" | "incomplete" | "unfair" => {
  const unmet = fairness.filter(({ ok }) => !ok);
  if (rows.length < 2) return "alone";
  if (unmet.length === 0) return "fair";
  return unmet.every(({ about }) => about === "trials") ? "incomplete" : "unfair";
};

/** What these figures do not show, in sentences. */
export const limitsOf = (comparison: Pick<Comparison, "rows" | "fairness" | "at" | "trials">): string[] => {
  const { rows, at, trials } = comparison;
  const verdict = verdictOf(comparison);
  const sentences: string[] = [];
  if (verdict === "unfair") {
    sentences.push(
      "These figures do not show that the algorithm makes the difference, because other things differ too: see “Not a fair comparison”.",
    );
  }
  if (verdict === "incomplete") {
    sentences.push("No algorithm can be called better yet: not every row has a result for every trial.");
  }
  if (at === "best") {
    sentences.push(
      "The best round was chosen with the test set, so its result is too optimistic. Report the last round or the mean of the last five.",
    );
  }
  if (rows.length > 0) {
    const these = trials.length === 1 ? "This one trial says" : `These ${count(trials.length)} trials say`;
    sentences.push(`${these} nothing about other data, models or partitions.`);
  }
  return sentences;
};

/** `at` as words of the control. */
export const atKind = (at: AtRound): "last" | "last5" | "best" | "round" =>
  typeof at === "number" ? "round" : at;
