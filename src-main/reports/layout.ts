import type { AlgorithmRow, Spread, Summary, Table } from "./summary.ts";

/** A table in words, before any format's escapes. */
export interface Layout {
  /** What the figures are, one sentence without a full stop. */
  readonly caption: string;
  readonly header: readonly string[];
  /** The algorithms. */
  readonly rows: readonly (readonly string[])[];
  /** Index of the row with the best mean; undefined where means are not comparable or equal. */
  readonly best: number | undefined;
  /** Improvements and the chance level. */
  readonly footer: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** Stands where there is no figure. */
export const MISSING = "–";

/** Percent with two digits for an accuracy, nats with four for a loss. */
export const figure = (value: number, metric: Table["metric"]): string =>
  metric === "accuracy" ? (value * 100).toFixed(2) : value.toFixed(4);

const signed = (value: number, metric: Table["metric"]): string => {
  const text = figure(value, metric);
  // -0.00 says no more than 0.00
  if (Number(text) === 0) return text.replace("-", "");
  return value > 0 ? `+${text}` : text;
};

/** What the figures are, with their unit: "accuracy at the last round (%)". */
export const measure = ({ metric, at }: Pick<Table, "metric" | "at">): string => {
  const unit = metric === "accuracy" ? "%" : "nats";
  if (at === "last") return `${metric} at the last round (${unit})`;
  if (at === "best") return `${metric} at the best round (${unit})`;
  if (at === "last5") return `mean ${metric} of the last five rounds (${unit})`;
  return `${metric} at round ${at} (${unit})`;
};

export const improvementLabel = (table: Table, algorithm: string): string => {
  const word = `${table.metric} improvement`;
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
  const means = rows.map((row) => (metric === "accuracy" ? row.mean! : -row.mean!));
  const best = Math.max(...means);
  return means.filter((m) => m === best).length === 1 ? means.indexOf(best) : undefined;
};

/** What the figures of a study are, one sentence without a full stop. */
export const captionOf = ({ study, ...table }: Summary): string =>
  `${study.name} (${study.id}): ${study.model} on ${study.dataset}, ${statistics(table)}`;

/** What stands in the last column, and in those before it. */
export const statistics = (table: Pick<Table, "metric" | "at">): string =>
  `${measure(table)}, mean ± sample standard deviation (number of trials)`;

/** A table as text, cell by cell. */
export const layOut = (table: Table, caption: string): Layout => {
  const { metric, rows, improvements, trials, chance, notes } = table;
  const plain = (v: number) => figure(v, metric);
  const sign = (v: number) => signed(v, metric);
  const line = (label: string, row: AlgorithmRow, show: (v: number) => string): string[] => [
    label,
    ...row.cells.map((c) => (c.value === null ? MISSING : show(c.value))),
    spreadText(row, show, plain),
  ];
  return {
    caption,
    header: ["algorithm", ...trials.map((t) => `trial ${t}`), "mean"],
    rows: rows.map((row) => line(row.algorithm, row, plain)),
    best: bestRow(table),
    footer: [
      ...improvements.map((row) => line(improvementLabel(table, row.algorithm), row, sign)),
      ...(chance === null ? [] : [["chance level", ...trials.map(() => ""), plain(chance)]]),
    ],
    notes,
  };
};
