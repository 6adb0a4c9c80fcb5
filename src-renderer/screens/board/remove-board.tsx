import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { useStates } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";

/** Asks, then removes a board from the fleet and, if wanted, what the lab put on it. */
export const RemoveBoard = ({
  name,
  opened,
  onClose,
}: {
  readonly name: string;
  readonly opened: boolean;
  readonly onClose: () => void;
}) => {
  const { client } = useStates();
  const [, navigate] = useLocation();
  const toast = useToast();
  const [cleanUp, setCleanUp] = useState(true);
  const remove = async () => {
    const { left } = await client.boards.remove({ name, cleanUp });
    navigate("/fleet");
    toast(
      left === undefined
        ? {
            tone: "ok",
            text: cleanUp ? `Removed ${name} and cleaned up the board.` : `Removed ${name} from the fleet.`,
          }
        : { tone: "bad", text: left },
    );
  };
  return (
    <Confirm
      opened={opened}
      title={`Remove ${name} from the fleet?`}
      text={`The lab deletes what it knows of ${name}: its address, host key and sign-in. The board's rounds stay on record.`}
      yes="Remove"
      onYes={remove}
      onClose={onClose}
      returnTo="board-remove"
    >
      <Checkbox
        mt={14}
        checked={cleanUp}
        onChange={(event) => setCleanUp(event.currentTarget.checked)}
        label="Also clean up the board"
        description="Deletes what the lab put on it: its containers, the client image, the data of studies, and the lab's line in authorized_keys. Docker stays installed."
      />
    </Confirm>
  );
};
