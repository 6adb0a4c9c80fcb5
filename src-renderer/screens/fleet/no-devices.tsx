import { Button } from "@mantine/core";
import { Card, Empty } from "#renderer/ui/page.tsx";
import type { AddableDevice } from "./add-device-menu.tsx";

/** An empty fleet: the ways to add the first devices. */
export const NoDevices = ({
  onAdd,
  onAddFour,
  busy,
}: {
  readonly onAdd: (what: AddableDevice) => void;
  readonly onAddFour: () => void;
  /** The four are being added. */
  readonly busy: boolean;
}) => (
  <Card>
    <Empty
      title="No devices yet"
      text="A board is a Jetson, a Raspberry Pi or another Linux computer that the lab reaches over SSH and sets up for you. Virtual devices are clients on this computer; you choose how slow and how unreliable they are. Four of them are enough for a first study."
    >
      <Button variant="filled" size="md" onClick={() => onAdd("board")}>
        Add a board
      </Button>
      <Button size="md" onClick={() => onAdd("many-boards")}>
        Add several boards
      </Button>
      <Button size="md" onClick={onAddFour} loading={busy}>
        Add four virtual devices
      </Button>
      <Button size="md" onClick={() => onAdd("virtual")}>
        Add custom virtual devices
      </Button>
    </Empty>
  </Card>
);
