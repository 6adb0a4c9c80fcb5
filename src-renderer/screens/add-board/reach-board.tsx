import { Button } from "@mantine/core";
import { BoardProblemBox } from "#renderer/screens/board/board-problem-box.tsx";
import { targetText } from "#renderer/screens/board/board-target.ts";
import { Buttons, noteClass } from "#renderer/ui/form.tsx";
import type { Adding } from "./add-board.ts";

/** The lab contacts the board, or says why it could not. */
export const ReachBoard = ({
  adding: { target, problem },
  onRetry,
  onAddress,
}: {
  readonly adding: Extract<Adding, { at: "reaching" }>;
  readonly onRetry: () => void;
  /** Goes back to the address. */
  readonly onAddress: () => void;
}) =>
  problem === undefined ? (
    <>
      <h3>Connecting to {targetText(target)}</h3>
      <p className={noteClass}>
        The lab reads the host key and sends nothing secret. A sleeping board may take a few seconds.
      </p>
      <Buttons>
        <Button onClick={onAddress} data-stage-focus>
          Change address
        </Button>
      </Buttons>
    </>
  ) : (
    <>
      <h3>Could not reach {targetText(target)}</h3>
      <BoardProblemBox
        problem={problem}
        // the buttons below do these
        hide={["retry", "edit-target", "sign-in"]}
        onAction={() => {}}
      />
      <Buttons>
        <Button variant="filled" onClick={onRetry} data-stage-focus>
          Try again
        </Button>
        <Button onClick={onAddress}>Change address</Button>
      </Buttons>
    </>
  );
