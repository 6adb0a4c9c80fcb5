import { roundRecords } from "./csv.ts";
import { improvementLabel, measure } from "./layout.ts";
import type { AlgorithmRow, Summary } from "./summary.ts";
import { oneLine } from "./text.ts";

/** Text, a number as it is on record, a number that is shown with a format, or nothing. */
export type SheetCell = string | number | null | { readonly value: number; readonly format: string };

/** One sheet of a workbook, in the form that the npm package write-excel-file takes. */
export interface Sheet {
  readonly sheet: string;
  readonly data: SheetCell[][];
}

/** Excel's limit on the text of a cell. */
const MAX_TEXT = 32_767;

// XML has no control characters, and a text is a text: what begins with "=" is not computed.
const text = (value: string): string => oneLine(value).slice(0, MAX_TEXT);

/**
 * A study as a workbook: the table, every round, and the notes. Numbers are unrounded; accuracies of the table are
 * in percent and shown with two digits.
 */
export const sheetsOf = (summary: Summary): Sheet[] => {
  const { study, metric, rows, improvements, trials, chance, notes, runs } = summary;
  const show = (value: number | null): SheetCell => {
    if (value === null) return null;
    return metric === "accuracy" ? { value: value * 100, format: "0.00" } : { value, format: "0.0000" };
  };
  const line = (label: string, row: AlgorithmRow): SheetCell[] => [
    text(label),
    ...row.cells.map((c) => show(c.value)),
    show(row.mean),
    show(row.deviation),
    row.n,
  ];
  const table: SheetCell[][] = [
    ["algorithm", ...trials.map((t) => `trial ${t}`), "mean", "deviation", "n"],
    ...rows.map((row) => line(row.algorithm, row)),
    ...improvements.map((row) => line(improvementLabel(summary, row.algorithm), row)),
    ...(chance === null ? [] : [["chance level", ...trials.map(() => null), show(chance), null, null]]),
  ];
  const rounds = roundRecords({ study, runs }).map((record) =>
    record.map((field): SheetCell => {
      if (typeof field === "string") return text(field);
      return typeof field === "number" && Number.isFinite(field) ? field : null;
    }),
  );
  const about: SheetCell[][] = [
    ["study", text(study.id)],
    ["name", text(study.name)],
    ["model", text(study.model)],
    ["data set", text(study.dataset)],
    ["rounds", study.rounds],
    ["figures", measure(summary)],
    ...notes.map((note): SheetCell[] => ["note", text(note)]),
  ];
  return [
    { sheet: "table", data: table },
    { sheet: "rounds", data: rounds },
    { sheet: "about", data: about },
  ];
};
