import { type RoundsOf, roundRecords } from "./csv.ts";
import { improvementLabel, measure } from "./layout.ts";
import type { AlgorithmRow, Table } from "./summary.ts";
import { oneLine } from "./text.ts";

/** Text, a number as recorded, a number with a format, or nothing. */
export type SheetCell = string | number | null | { readonly value: number; readonly format: string };

/** One sheet of a workbook, in the form that the npm package write-excel-file takes. */
export interface Sheet {
  readonly sheet: string;
  readonly data: SheetCell[][];
}

/** Excel's limit on the text of a cell. */
const MAX_TEXT = 32_767;

// XML has no control characters. The cell has the type text, so Excel computes nothing that begins with "=".
const text = (value: string): string => oneLine(value).slice(0, MAX_TEXT);

/**
 * A workbook of a table, every round behind it, and facts about the studies. Numbers are unrounded; shares in the
 * table are in percent, shown with two digits.
 */
export const workbookOf = (
  table: Table,
  studies: readonly RoundsOf[],
  about: readonly (readonly [string, string | number])[],
): Sheet[] => {
  const { metric, rows, improvements, trials, notes } = table;
  const show = (value: number | null): SheetCell => {
    if (value === null) return null;
    return metric.unit === "%" ? { value: value * 100, format: "0.00" } : { value, format: "0.0000" };
  };
  const line = (label: string, row: AlgorithmRow): SheetCell[] => [
    text(label),
    ...row.cells.map((c) => show(c.value)),
    show(row.mean),
    show(row.deviation),
    row.n,
  ];
  const figures: SheetCell[][] = [
    ["algorithm", ...trials.map((t) => `trial ${t}`), "mean", "deviation", "n"],
    ...rows.map((row) => line(row.title, row)),
    ...improvements.map((row) => line(improvementLabel(table, row.title), row)),
    ...(metric.chance === null
      ? []
      : [["chance level", ...trials.map(() => null), show(metric.chance), null, null]]),
  ];
  const cell = (field: string | number | null | undefined): SheetCell => {
    if (typeof field === "string") return text(field);
    return typeof field === "number" && Number.isFinite(field) ? field : null;
  };
  const facts: SheetCell[][] = [
    ...about.map(([what, value]): SheetCell[] => [what, cell(value)]),
    ["figures", measure(table)],
    ...notes.map((note): SheetCell[] => ["note", text(note)]),
  ];
  return [
    { sheet: "table", data: figures },
    { sheet: "rounds", data: roundRecords(studies).map((record) => record.map(cell)) },
    { sheet: "about", data: facts },
  ];
};
