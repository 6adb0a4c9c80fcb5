import { useState } from "react";
import type { BoardView } from "#contract/boards.ts";
import { formClass, noteClass } from "#renderer/ui/form.tsx";
import { AddressForm } from "./address-form.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import { targetText } from "./board-target.ts";
import { useChangeBoard } from "./use-change-board.ts";

/** A new address for the same machine. */
export const ChangeAddress = ({
  view,
  onClose,
}: {
  readonly view: BoardView;
  readonly onClose: () => void;
}) => {
  const [typed, setTyped] = useState(() => targetText(view.target));
  const { change, busy, problem } = useChangeBoard(view.name, onClose);
  return (
    <div className={formClass}>
      <p className={noteClass}>
        The new address must lead to the same machine. The lab compares the host key and refuses any other.
      </p>
      {problem !== undefined && <BoardProblemBox problem={problem} />}
      <AddressForm
        typed={typed}
        onType={setTyped}
        onTarget={(target) => change({ target })}
        onCancel={onClose}
        verb="Connect"
        busy={busy}
      />
    </div>
  );
};
