import { figure, improvementLabel, measure } from "./layout.ts";
import type { ReportInput, ReportRound, Spread, Table } from "./summary.ts";

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
export const tableRecords = (table: Table): Field[][] => {
  const { metric, rows, improvements, trials, chance } = table;
  const show = (v: number | null): string => (v === null ? "" : figure(v, metric));
  const what = measure(table);
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
      improvementLabel(table, row.algorithm),
      what,
      ...row.cells.map((c) => show(c.value)),
      ...statistics(row),
      `${row.algorithm} against ${row.against}`,
    ]),
    ...(chance === null ? [] : [["chance level", what, ...trials.map(() => ""), show(chance), "", "", ""]]),
  ];
};

/** Runs of one study, to be listed round by round. */
export type RoundsOf = { readonly study: Pick<ReportInput["study"], "id" | "name"> } & Pick<
  ReportInput,
  "runs"
>;

const ROUND_FIELDS = [
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
];

const count = (of: ReportRound["clients"] | ReportRound["failures"]): number | undefined =>
  typeof of === "number" ? of : of?.length;

/** Every round of every run, one record each, numbers as they are on record. */
export const roundRecords = (studies: readonly RoundsOf[]): Field[][] => [
  ROUND_FIELDS,
  ...studies.flatMap(({ study, runs }) =>
    runs.flatMap((run) =>
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
        count(r.clients),
        count(r.failures),
        r.examples,
        r.seconds,
        r.weightsSha256,
      ]),
    ),
  ),
];
