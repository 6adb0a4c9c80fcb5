import { Button } from "@mantine/core";
import { useState } from "react";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { Buttons } from "#renderer/ui/form.tsx";
import { manySummary, phaseOf } from "./many-boards.ts";
import { ManyBoardsTable } from "./many-boards-table.tsx";
import { ManyKeys } from "./many-keys.tsx";
import { ManyList } from "./many-list.tsx";
import { ManySetUp } from "./many-set-up.tsx";
import { ManySignIn } from "./many-sign-in.tsx";
import { StageBox } from "./stage-box.tsx";
import { useManyBoards } from "./use-many-boards.ts";

/** Adds several boards from a list: contacted together, signed in to in the same way; each row keeps its own result. */
export const ManyBoardsDialog = ({
  opened,
  taken,
  returnTo,
  onClose,
}: {
  readonly opened: boolean;
  /** Names of other devices. */
  readonly taken: readonly string[];
  readonly returnTo: string;
  readonly onClose: () => void;
}) => (
  <Dialog
    opened={opened}
    title="Add several boards"
    size="980px"
    onClose={onClose}
    returnTo={returnTo}
    keepOnClickOutside
  >
    <ManyBoardsSteps taken={taken} onClose={onClose} />
  </Dialog>
);

const ManyBoardsSteps = ({
  taken,
  onClose,
}: {
  readonly taken: readonly string[];
  readonly onClose: () => void;
}) => {
  // boards that this dialog adds must not make the names on its own list look taken
  const [takenAtFirst] = useState(taken);
  const many = useManyBoards(takenAtFirst);
  const { rows } = many;
  const phase = phaseOf(rows);
  const failed = rows.filter(({ state }) => state === "failed");
  const added = rows.filter(({ state }) => state === "added");
  const canSignInAgain = phase === "done" && failed.some(({ reached }) => reached?.trust === "known");

  if (phase === "list") return <ManyList taken={takenAtFirst} onList={many.begin} onCancel={onClose} />;
  return (
    <StageBox step={phase}>
      <p role="status">{manySummary(rows)}.</p>
      <ManyBoardsTable rows={rows} onRetry={many.retry} />
      {phase === "keys" && <ManyKeys many={many} />}
      {(phase === "sign-in" || canSignInAgain) && (
        <ManySignIn many={many} isRetry={canSignInAgain} onClose={onClose} />
      )}
      {phase === "done" && added.length > 0 && <ManySetUp names={added.map(({ name }) => name)} />}
      {phase === "done" && !canSignInAgain && (
        <Buttons>
          {failed.length > 0 && <Button onClick={() => many.reach(failed)}>Retry failed boards</Button>}
          <Button variant={added.length > 0 ? "default" : "filled"} onClick={onClose}>
            {added.length > 0 ? "Done" : "Close"}
          </Button>
        </Buttons>
      )}
    </StageBox>
  );
};
