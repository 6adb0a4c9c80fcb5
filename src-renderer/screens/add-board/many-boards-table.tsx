import { Button } from "@mantine/core";
import style from "#renderer/screens/board/board.module.css";
import { Pill, Small, type Tone, tableClass } from "#renderer/ui/page.tsx";
import { ScrollBox } from "#renderer/ui/scroll-box.tsx";
import { targetText } from "./board-target.ts";
import type { ManyRow, ManyState } from "./many-boards.ts";

const STATES: Readonly<
  Record<ManyState, { readonly tone: Tone; readonly mark: string; readonly word: string }>
> = {
  listed: { tone: "quiet", mark: "○", word: "listed" },
  reaching: { tone: "accent", mark: "◔", word: "looking" },
  "new-key": { tone: "warn", mark: "?", word: "new key" },
  "changed-key": { tone: "bad", mark: "✕", word: "another key" },
  reached: { tone: "ok", mark: "✓", word: "reached" },
  adding: { tone: "accent", mark: "◔", word: "adding" },
  added: { tone: "ok", mark: "✓", word: "added" },
  failed: { tone: "bad", mark: "✕", word: "failed" },
};

/** Each board of the list and how far it is; what failed keeps its cause. */
export const ManyBoardsTable = ({
  rows,
  onAgain,
}: {
  readonly rows: readonly ManyRow[];
  readonly onAgain: (row: ManyRow) => void;
}) => (
  <ScrollBox label="Boards of the list" className={style.listed}>
    <table className={tableClass}>
      <thead>
        <tr>
          <th>Name</th>
          <th>Address</th>
          <th>State</th>
          <th>What happened</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.line}>
            <th scope="row">{row.name}</th>
            <td>{targetText(row.target)}</td>
            <td>
              <Pill tone={STATES[row.state].tone} mark={STATES[row.state].mark}>
                {STATES[row.state].word}
              </Pill>
            </td>
            <td className={style.happened}>
              {row.problem !== undefined && (
                <>
                  {row.problem.title}. <Small>{`${row.problem.cause} ${row.problem.next}`}</Small>
                </>
              )}
              {row.state === "changed-key" && (
                <>
                  This is not the machine that is known there.{" "}
                  <Small>
                    It shows {row.reached?.key.fingerprint}; known is{" "}
                    {row.reached?.known?.map(({ fingerprint }) => fingerprint).join(", ")}. Nothing was sent.
                    Find out who answers before you go on.
                  </Small>
                </>
              )}
              {row.state === "failed" && (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  onClick={() => onAgain(row)}
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
