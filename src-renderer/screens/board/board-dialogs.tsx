import type { BoardView } from "#contract/boards.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { ChangeAddress } from "./change-address.tsx";
import { ChangeDataSource } from "./change-data-source.tsx";
import { RemoveBoard } from "./remove-board.tsx";
import { ReplaceKey } from "./replace-key.tsx";
import { SignInAgain } from "./sign-in-again.tsx";
import type { BoardDialog } from "./use-board-actions.ts";

/** The dialogs of a board's page; at most one is open. */
export const BoardDialogs = ({
  view,
  opened,
  onClose,
  onOpen,
}: {
  readonly view: BoardView;
  readonly opened: BoardDialog | undefined;
  readonly onClose: () => void;
  readonly onOpen: (dialog: BoardDialog) => void;
}) => {
  const { name } = view;
  const dialog = (which: BoardDialog) => ({
    opened: opened === which,
    onClose,
    returnTo: `board-${which}`,
    size: "lg",
  });
  return (
    <>
      <Dialog {...dialog("address")} title={`Change the address of ${name}`} keepOnClickOutside>
        <ChangeAddress view={view} onClose={onClose} />
      </Dialog>
      <Dialog {...dialog("sign-in")} title={`Sign in to ${name}`} keepOnClickOutside>
        <SignInAgain view={view} onClose={onClose} onReplaceKey={() => onOpen("replace-key")} />
      </Dialog>
      <Dialog {...dialog("data")} title={`Data on ${name}`}>
        <ChangeDataSource view={view} onClose={onClose} />
      </Dialog>
      <Dialog {...dialog("replace-key")} title={`Replace the key of ${name}`} keepOnClickOutside>
        <ReplaceKey view={view} onClose={onClose} />
      </Dialog>
      <RemoveBoard name={name} opened={opened === "remove"} onClose={onClose} />
    </>
  );
};
