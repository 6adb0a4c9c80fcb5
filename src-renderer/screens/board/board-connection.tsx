import { Button } from "@mantine/core";
import type { BoardAction, BoardSummary } from "#contract/boards.ts";
import { Countdown, Elapsed } from "#renderer/ui/elapsed.tsx";
import { noteClass } from "#renderer/ui/form.tsx";
import { Warning } from "#renderer/ui/page.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";

/** Why the board is not connected, and what can be done; nothing while all is well. */
export const BoardConnection = ({
  board,
  onAction,
  busy,
  onCompare,
}: {
  readonly board: BoardSummary;
  readonly onAction: (action: BoardAction) => void;
  readonly busy: string | undefined;
  /** Opens the dialog that compares host keys. */
  readonly onCompare: () => void;
}) => {
  const { state, problem, since, retryAt } = board;
  if (state === "silent" && problem === undefined) {
    return (
      <Warning
        text={
          <>
            The board has not responded for <Elapsed since={Date.parse(since)} />. The lab keeps the
            connection open and waits.
          </>
        }
      />
    );
  }
  if (state === "online" || problem === undefined) return null;
  return (
    <BoardProblemBox
      problem={problem}
      onAction={onAction}
      busy={busy}
      tone={state === "locked" ? "bad" : "warn"}
    >
      {problem.code === "host-key-changed" && (
        <Button size="xs" onClick={onCompare}>
          Compare keys
        </Button>
      )}
      {retryAt !== undefined && (
        <span className={noteClass}>
          The lab tries again <Countdown until={retryAt} />.
        </span>
      )}
    </BoardProblemBox>
  );
};
