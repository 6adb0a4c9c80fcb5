import { metricText } from "#contract/metrics.ts";
import { improvementLabel, measure } from "./layout.ts";
import { type ReportInput, type ReportRound, reportedIn, type Spread, type Table } from "./summary.ts";

type Field = string | number | null | undefined;

const field = (value: Field): string => {
  // String(number) is the shortest text that reads back as the same double.
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Records as RFC 4180 has them: comma, CRLF, quotes doubled. */
export const toCsv = (records: readonly (readonly Field[])[]): string =>
  records.map((record) => `${record.map(field).join(",")}\r\n`).join("");

/** The table: one record per algorithm, improvement and chance level. A missing figure is an empty field. */
export const tableRecords = (table: Table): Field[][] => {
  const { metric, rows, improvements, trials } = table;
  const show = (v: number | null): string => (v === null ? "" : metricText(metric, v));
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
      `${row.algorithm} vs. ${row.against}`,
    ]),
    ...(metric.chance === null
      ? []
      : [["chance level", what, ...trials.map(() => ""), show(metric.chance), "", "", ""]]),
  ];
};

/** The runs of one study, for a list of their rounds. */
export type RoundsOf = { readonly study: Pick<ReportInput["study"], "id" | "name"> } & Pick<
  ReportInput,
  "runs"
>;

const RUN_FIELDS = ["study", "name", "algorithm", "trial", "seed", "status", "round"];
const ROUND_FIELDS = ["clients", "failures", "examples", "seconds", "weightsSha256"];

/** Columns that every file has, measured or not; the other metrics follow. */
const FIRST_METRICS = ["loss", "accuracy"];

const metricColumns = (studies: readonly RoundsOf[]): string[] => {
  const reported = [...reportedIn(studies.flatMap(({ runs }) => runs))].sort();
  return [...FIRST_METRICS, ...reported.filter((id) => !FIRST_METRICS.includes(id))];
};

const count = (of: ReportRound["clients"] | ReportRound["failures"]): number | undefined =>
  typeof of === "number" ? of : of?.length;

/** Every round of every run, one record each, numbers as recorded. */
export const roundRecords = (studies: readonly RoundsOf[]): Field[][] => {
  const metrics = metricColumns(studies);
  return [
    [...RUN_FIELDS, ...metrics, ...ROUND_FIELDS],
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
          ...metrics.map((id) => (Object.hasOwn(r.metrics, id) ? r.metrics[id] : null)),
          count(r.clients),
          count(r.failures),
          r.examples,
          r.seconds,
          r.weightsSha256,
        ]),
      ),
    ),
  ];
};
