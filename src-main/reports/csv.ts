import { figure, improvementLabel, measure } from "./layout.ts";
import type { ReportInput, Spread, Summary } from "./summary.ts";

type Field = string | number | null | undefined;

const field = (value: Field): string => {
  // String(number) is the shortest text that reads back as the same double.
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Records as RFC 4180 has them: comma, CRLF, quotes doubled. */
export const toCsv = (records: readonly (readonly Field[])[]): string =>
  records.map((record) => `${record.map(field).join(",")}\r\n`).join("");

/** The table: one record per algorithm, improvement and chance level. A figure that is missing is an empty field. */
export const tableRecords = (summary: Summary): Field[][] => {
  const { metric, rows, improvements, trials, chance } = summary;
  const show = (v: number | null): string => (v === null ? "" : figure(v, metric));
  const what = measure(summary);
  const statistics = (s: Spread): Field[] => [show(s.mean), show(s.deviation), s.n];
  return [
    ["algorithm", "measure", ...trials.map((t) => `trial ${t}`), "mean", "deviation", "n", "note"],
    ...rows.map((row) => [
      row.algorithm,
      what,
      ...row.cells.map((c) => show(c.value)),
      ...statistics(row),
      row.cells.flatMap((c) => (c.note === undefined ? [] : [`trial ${c.trial}: ${c.note}`])).join("; "),
    ]),
    ...improvements.map((row) => [
      improvementLabel(summary, row.algorithm),
      what,
      ...row.cells.map((c) => show(c.value)),
      ...statistics(row),
      `${row.algorithm} against ${row.against}`,
    ]),
    ...(chance === null ? [] : [["chance level", what, ...trials.map(() => ""), show(chance), "", "", ""]]),
  ];
};

/** Every round of every run, one record each, numbers as they are on record. */
export const roundRecords = ({ study, runs }: Pick<ReportInput, "study" | "runs">): Field[][] => [
  [
    "study",
    "name",
    "algorithm",
    "trial",
    "seed",
    "status",
    "round",
    "loss",
    "accuracy",
    "clients",
    "failures",
    "examples",
    "seconds",
    "weightsSha256",
  ],
  ...runs.flatMap((run) =>
    run.rounds.map((r) => [
      study.id,
      study.name,
      run.algorithm,
      run.trial,
      run.seed,
      run.status,
      r.round,
      r.loss,
      r.accuracy,
      r.clients?.length,
      r.failures?.length,
      r.examples,
      r.seconds,
      r.weightsSha256,
    ]),
  ),
];
