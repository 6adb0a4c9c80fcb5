import { bestOf, type Metric, metricText, metricWord } from "#contract/metrics.ts";
import type { AlgorithmRow, Spread, Summary, Table } from "./summary.ts";

/** A table in words, before any format's escapes. */
export interface TableLayout {
  /** What the figures are, one sentence without a full stop. */
  readonly caption: string;
  readonly header: readonly string[];
  /** The algorithms. */
  readonly rows: readonly (readonly string[])[];
  /** Index of the row with the best mean; undefined where means are equal or not comparable. */
  readonly best: number | undefined;
  /** Improvements and the chance level. */
  readonly footer: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** Shown where there is no figure. */
const MISSING = "–";

const signed = (value: number, metric: Metric): string => {
  const text = metricText(metric, value);
  // "-0.00" would look like a loss
  if (Number(text) === 0) return text.replace("-", "");
  return value > 0 ? `+${text}` : text;
};

/** What the figures are, with their unit: "accuracy at the last round (%)". */
export const measure = ({ metric, at }: Pick<Table, "metric" | "at">): string => {
  const word = metricWord(metric);
  const unit = metric.unit === "" ? "" : ` (${metric.unit})`;
  if (at === "last") return `${word} at the last round${unit}`;
  if (at === "best") return `${word} at the best round${unit}`;
  if (at === "last5") return `mean ${word} of the last five rounds${unit}`;
  return `${word} at round ${at}${unit}`;
};

export const improvementLabel = (table: Table, algorithm: string): string => {
  const word = `${metricWord(table.metric)} improvement`;
  return table.improvements.length === 1 ? word : `${word}, ${algorithm}`;
};

/** "54.31 ± 3.20 (3)": mean, sample standard deviation, number of trials. */
const spreadText = (
  { mean, deviation, n }: Spread,
  show: (v: number) => string,
  plain: (v: number) => string,
) =>
  mean === null
    ? `${MISSING} (0)`
    : `${show(mean)}${deviation === null ? "" : ` ± ${plain(deviation)}`} (${n})`;

const bestRow = ({ rows, metric }: Table): number | undefined => {
  const n = rows[0]?.n ?? 0;
  if (rows.length < 2 || n === 0 || rows.some((row) => row.n !== n)) return undefined;
  const means = rows.map((row) => row.mean!);
  const best = bestOf(metric, means);
  if (best === null || means.filter((m) => m === best).length > 1) return undefined;
  return means.indexOf(best);
};

/** What the figures of a study are, one sentence without a full stop. */
export const captionOf = ({ study, ...table }: Summary): string =>
  `${study.name} (${study.id}): ${study.model} on ${study.dataset}, ${statistics(table)}`;

/** What the figures of the columns are. */
export const statistics = (table: Pick<Table, "metric" | "at">): string =>
  `${measure(table)}, mean ± sample standard deviation (number of trials)`;

/** A table as text, cell by cell. */
export const layOut = (table: Table, caption: string): TableLayout => {
  const { metric, rows, improvements, trials, notes } = table;
  const plain = (v: number) => metricText(metric, v);
  const sign = (v: number) => signed(v, metric);
  const line = (label: string, row: AlgorithmRow, show: (v: number) => string): string[] => [
    label,
    ...row.cells.map((c) => (c.value === null ? MISSING : show(c.value))),
    spreadText(row, show, plain),
  ];
  return {
    caption,
    header: ["algorithm", ...trials.map((t) => `trial ${t}`), "mean"],
    rows: rows.map((row) => line(row.title, row, plain)),
    best: bestRow(table),
    footer: [
      ...improvements.map((row) => line(improvementLabel(table, row.title), row, sign)),
      ...(metric.chance === null ? [] : [["chance level", ...trials.map(() => ""), plain(metric.chance)]]),
    ],
    notes,
  };
};
