import { Button } from "@mantine/core";
import { targetText } from "#renderer/screens/board/board-target.ts";
import { Pill, Small, type Tone, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import style from "./listed-boards.module.css";
import type { ManyRow, ManyState } from "./many-boards.ts";

const ROW_STATES: Readonly<
  Record<ManyState, { readonly tone: Tone; readonly mark: string; readonly word: string }>
> = {
  listed: { tone: "quiet", mark: "○", word: "listed" },
  reaching: { tone: "accent", mark: "◔", word: "connecting" },
  "new-key": { tone: "warn", mark: "?", word: "new key" },
  "changed-key": { tone: "bad", mark: "✕", word: "changed key" },
  reached: { tone: "ok", mark: "✓", word: "reached" },
  adding: { tone: "accent", mark: "◔", word: "adding" },
  added: { tone: "ok", mark: "✓", word: "added" },
  failed: { tone: "bad", mark: "✕", word: "failed" },
};

/** Each board of the list, how far it is, and why it failed if it did. */
export const ManyBoardsTable = ({
  rows,
  onRetry,
}: {
  readonly rows: readonly ManyRow[];
  readonly onRetry: (row: ManyRow) => void;
}) => (
  <ScrollBox label="Boards on the list" className={style.listed}>
    <table className={tableClass}>
      <thead>
        <tr>
          <th>Name</th>
          <th>Address</th>
          <th>State</th>
          <th>Result</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.line}>
            <th scope="row">{row.name}</th>
            <td>{targetText(row.target)}</td>
            <td>
              <Pill tone={ROW_STATES[row.state].tone} mark={ROW_STATES[row.state].mark}>
                {ROW_STATES[row.state].word}
              </Pill>
            </td>
            <td className={style.result}>
              {row.problem !== undefined && (
                <>
                  {row.problem.title}. <Small>{`${row.problem.cause} ${row.problem.next}`}</Small>
                </>
              )}
              {row.state === "changed-key" && (
                <>
                  Its host key has changed.{" "}
                  <Small>
                    It shows {row.reached?.key.fingerprint}; the known key is{" "}
                    {row.reached?.known?.map(({ fingerprint }) => fingerprint).join(", ")}. Nothing was sent.
                    Find out which machine answers before you continue.
                  </Small>
                </>
              )}
              {row.state === "failed" && (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  onClick={() => onRetry(row)}
                  aria-label={`Try again: ${row.name}`}
                >
                  Try again
                </Button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </ScrollBox>
);
