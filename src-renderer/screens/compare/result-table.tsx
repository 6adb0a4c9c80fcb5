import { ActionIcon } from "@mantine/core";
import { Link } from "wouter";
import type { AtRound, Comparison, ComparisonRow } from "#contract/views.ts";
import { plural } from "#renderer/ui/format.ts";
import { Card, Small, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import { AtControl } from "./at-control.tsx";
import style from "./compare.module.css";
import { looksOf } from "./compare-series.ts";
import { bestKey, difference, figure, limitsOf, measureOf, spread, toneOf } from "./figures.ts";
import { RowKey } from "./row-key.tsx";

/** Trials that have a column each; of more only the mean is shown. */
const COLUMNS = 10;
/** Notes that are shown at once. */
const NOTES = 6;

interface ResultProps {
  readonly comparison: Comparison;
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (key: string) => void;
  readonly onRemove: (row: ComparisonRow) => void;
  /** `instead`: the address before is not one to go back to. */
  readonly onAt: (at: AtRound, instead: boolean) => void;
  /** The last round that there is. */
  readonly lastRound: number;
}

/** The figures, trial by trial, and how they differ from the first row. */
export const ResultTable = ({ comparison, hidden, onToggle, onRemove, onAt, lastRound }: ResultProps) => {
  const { rows, improvements, trials, metric, notes } = comparison;
  const { chance } = metric;
  const columns = trials.length <= COLUMNS ? trials : [];
  const best = bestKey(comparison);
  const limits = limitsOf(comparison);
  const looks = looksOf(rows);
  const nameOf = (row: ComparisonRow) => (
    <span>
      <RowKey look={looks.get(row.key)} />
      <Link href={`/studies/${row.study}`}>{row.label}</Link>
    </span>
  );
  return (
    <Card
      title="Result"
      note={measureOf(comparison)}
      aside={<AtControl at={comparison.at} onAt={onAt} lastRound={lastRound} />}
    >
      <ScrollBox label="Result, by algorithm and trial">
        <table className={`${tableClass} ${style.table}`}>
          <thead>
            <tr>
              <th scope="col">Algorithm</th>
              {columns.map((trial) => (
                <th scope="col" key={trial} data-num>
                  Trial {trial}
                </th>
              ))}
              <th scope="col" data-num>
                Mean ± std. dev.
              </th>
              <th scope="col" data-num title="Trials with a result">
                n
              </th>
              <th scope="col" data-num>
                Line
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key} className={style.row} data-hidden={hidden.has(row.key)}>
                <th scope="row" className={style.name}>
                  {nameOf(row)}
                </th>
                {columns.map((trial) => {
                  const cell = row.cells.find((c) => c.trial === trial);
                  return (
                    <td key={trial} data-num title={cell?.note}>
                      {figure(cell?.value ?? null, metric)}
                    </td>
                  );
                })}
                <td data-num className={row.key === best ? style.best : undefined}>
                  {spread(row, metric)}
                </td>
                <td data-num>{row.n}</td>
                <td className={style.buttons}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    title={hidden.has(row.key) ? "Show the line" : "Hide the line"}
                    aria-pressed={!hidden.has(row.key)}
                    aria-label={`Show the line of ${row.label}`}
                    onClick={() => onToggle(row.key)}
                  >
                    <Eye isClosed={hidden.has(row.key)} />
                  </ActionIcon>{" "}
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={`Remove ${row.label} from the comparison`}
                    title="Remove from the comparison"
                    onClick={() => onRemove(row)}
                  >
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                      <path d="m5.5 5.5 9 9m0-9-9 9" />
                    </svg>
                  </ActionIcon>
                </td>
              </tr>
            ))}
            {improvements.map((row) => (
              <tr key={`${row.key} improvement`} data-improvement>
                <th scope="row" className={style.name}>
                  {improvements.length === 1 ? "Improvement" : `Improvement, ${row.label}`}
                  {metric.unit === "%" && <Small> in points</Small>}
                  {improvements.length > 1 && row === improvements[0] && <Small> vs. {row.against}</Small>}
                </th>
                {columns.map((trial) => {
                  const value = row.cells.find((c) => c.trial === trial)?.value ?? null;
                  return (
                    <td key={trial} data-num className={style[toneOf(value, metric) ?? ""]}>
                      {difference(value, metric)}
                    </td>
                  );
                })}
                <td data-num className={style[toneOf(row.mean, metric) ?? ""]}>
                  {spread(row, metric, difference)}
                </td>
                <td data-num>{row.n}</td>
                <td />
              </tr>
            ))}
            {chance !== null && (
              <tr data-improvement>
                <th scope="row">Chance level</th>
                {columns.map((trial) => (
                  <td key={trial} />
                ))}
                <td data-num>{figure(chance, metric)}</td>
                <td />
                <td />
              </tr>
            )}
          </tbody>
        </table>
      </ScrollBox>
      <div className={style.notes}>
        {improvements.length > 0 && (
          <p>Improvement: the mean difference from {rows[0]?.label} over the trials; above 0 is better.</p>
        )}
        {columns.length === 0 && trials.length > 0 && (
          <p>The exported table lists all {trials.length} trials.</p>
        )}
        {notes.slice(0, NOTES).map((note) => (
          <p key={note}>{note}</p>
        ))}
        {notes.length > NOTES && (
          <details>
            <summary>{plural(notes.length - NOTES, "more note")}</summary>
            {notes.slice(NOTES).map((note) => (
              <p key={note}>{note}</p>
            ))}
          </details>
        )}
        {limits.length > 0 && (
          <>
            <h3>Limits of this result</h3>
            <ul className={style.claims}>
              {limits.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </Card>
  );
};

const Eye = ({ isClosed }: { readonly isClosed: boolean }) => (
  <svg viewBox="0 0 20 20" aria-hidden="true">
    <path d="M1.8 10S4.8 4.6 10 4.6 18.2 10 18.2 10 15.2 15.4 10 15.4 1.8 10 1.8 10Z" />
    <circle cx="10" cy="10" r="2.5" />
    {isClosed && <path d="m3.5 16.5 13-13" />}
  </svg>
);
