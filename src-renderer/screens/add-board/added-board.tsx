import { Button } from "@mantine/core";
import { useLocation } from "wouter";
import type { BoardAction, BoardView } from "#contract/boards.ts";
import { BoardFactsList } from "#renderer/screens/board/board-facts-list.tsx";
import { BoardProblemBox } from "#renderer/screens/board/board-problem-box.tsx";
import { SetUp } from "#renderer/screens/board/set-up.tsx";
import { boardPath, useBoardActions } from "#renderer/screens/board/use-board-actions.ts";
import { Buttons } from "#renderer/ui/form.tsx";
import { Problem } from "#renderer/ui/page.tsx";

/** The board is in the fleet: what the lab found on it, and what remains to be done. */
export const AddedBoard = ({
  view,
  onClose,
  onAnother,
}: {
  readonly view: BoardView;
  readonly onClose: () => void;
  readonly onAnother: () => void;
}) => {
  const { name, facts, plan } = view;
  const [, navigate] = useLocation();
  const actions = useBoardActions(name);
  const onAction = (action: BoardAction) => {
    if (action.do !== "retry") onClose();
    void actions.run(action, view);
  };
  const problem = view.state === "online" ? undefined : view.problem;
  const isReady = plan?.ready === true;
  return (
    <>
      <h3 tabIndex={-1} {...(isReady ? {} : { "data-stage-focus": true })}>
        {isReady ? `${name} is ready` : `${name} is in the fleet`}
      </h3>
      {problem !== undefined && <BoardProblemBox problem={problem} onAction={onAction} busy={actions.busy} />}
      {facts !== undefined && <BoardFactsList facts={facts} />}
      {facts?.unsupported !== undefined && <Problem text={facts.unsupported} />}
      {plan !== undefined && facts?.unsupported === undefined && (
        <SetUp view={view} plan={plan} onAction={onAction} />
      )}
      {plan === undefined && facts?.unsupported === undefined && (
        <Buttons>
          <Button onClick={() => actions.probe()} loading={actions.busy === "probe"} data-stage-focus>
            Check the board
          </Button>
        </Buttons>
      )}
      <Buttons>
        {isReady && (
          <Button variant="filled" onClick={onClose} data-stage-focus>
            Done
          </Button>
        )}
        <Button
          onClick={() => {
            onClose();
            navigate(boardPath(name));
          }}
        >
          Open its page
        </Button>
        <Button onClick={onAnother}>Add another board</Button>
      </Buttons>
    </>
  );
};
