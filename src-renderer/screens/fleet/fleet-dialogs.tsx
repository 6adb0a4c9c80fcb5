import type { FleetGroup, FleetView } from "#contract/views.ts";
import { AddBoardDialog } from "#renderer/screens/add-board/add-board-dialog.tsx";
import { ManyBoardsDialog } from "#renderer/screens/add-board/many-boards-dialog.tsx";
import { useStates } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { plural } from "#renderer/ui/format.ts";
import { ADD_DEVICE_ID, type AddableDevice } from "./add-device-menu.tsx";
import { canDelete } from "./fleet-rows.ts";
import { GroupDialog } from "./group-dialog.tsx";
import { groupElementId } from "./groups.tsx";

/** The dialog that is open, and what it is about. */
export type FleetDialog =
  | { readonly about: AddableDevice }
  | { readonly about: "edit-group" | "remove-group"; readonly group: FleetGroup }
  | { readonly about: "delete"; readonly device: string }
  | { readonly about: "delete-offline" };

/** The dialogs of the fleet's page; at most one is open. */
export const FleetDialogs = ({
  dialog,
  view,
  onClose,
}: {
  readonly dialog: FleetDialog | undefined;
  readonly view: FleetView | undefined;
  readonly onClose: () => void;
}) => {
  const taken = view?.devices.map(({ name }) => name) ?? [];
  return (
    <>
      <AddBoardDialog
        opened={dialog?.about === "board"}
        taken={taken}
        returnTo={ADD_DEVICE_ID}
        onClose={onClose}
      />
      <ManyBoardsDialog
        opened={dialog?.about === "many-boards"}
        taken={taken}
        returnTo={ADD_DEVICE_ID}
        onClose={onClose}
      />
      <GroupDialog
        opened={dialog?.about === "virtual" || dialog?.about === "edit-group"}
        group={dialog?.about === "edit-group" ? dialog.group : undefined}
        groups={view?.groups ?? []}
        devices={view?.devices ?? []}
        onClose={onClose}
      />
      <RemoveGroup group={dialog?.about === "remove-group" ? dialog.group : undefined} onClose={onClose} />
      <DeleteDevice device={dialog?.about === "delete" ? dialog.device : undefined} onClose={onClose} />
      <DeleteOffline
        opened={dialog?.about === "delete-offline"}
        count={view?.devices.filter(canDelete).length ?? 0}
        onClose={onClose}
      />
    </>
  );
};

const RemoveGroup = ({
  group,
  onClose,
}: {
  readonly group: FleetGroup | undefined;
  readonly onClose: () => void;
}) => {
  const { client, setFleet } = useStates();
  return (
    <Confirm
      opened={group !== undefined}
      {...(group === undefined ? {} : { returnTo: groupElementId(group.name) })}
      title={`Remove the group ${group?.name ?? ""}?`}
      text={
        group !== undefined &&
        `This removes ${plural(group.count, "device")} from the fleet. If a running study uses them, they stay on the list until it has ended and you delete them. Studies keep their results.`
      }
      yes="Remove"
      onYes={async () => {
        if (group !== undefined) setFleet(await client.fleet.removeGroup({ group: group.name }));
      }}
      onClose={onClose}
    />
  );
};

const DeleteDevice = ({
  device,
  onClose,
}: {
  readonly device: string | undefined;
  readonly onClose: () => void;
}) => {
  const { client, setFleet } = useStates();
  return (
    <Confirm
      opened={device !== undefined}
      title={`Delete ${device ?? "the device"} from the list?`}
      text="It appears again when it connects. Studies keep its results."
      yes="Delete"
      onYes={async () => {
        if (device !== undefined) setFleet(await client.fleet.forget({ name: device }));
      }}
      onClose={onClose}
    />
  );
};

const DeleteOffline = ({
  opened,
  count,
  onClose,
}: {
  readonly opened: boolean;
  readonly count: number;
  readonly onClose: () => void;
}) => {
  const { client, setFleet } = useStates();
  return (
    <Confirm
      opened={opened}
      title="Delete all offline devices from the list?"
      text={`This deletes ${plural(count, "ungrouped device")}. A device appears again when it connects. Studies keep their results.`}
      yes={`Delete ${plural(count, "device")}`}
      onYes={async () => setFleet(await client.fleet.forgetOffline())}
      onClose={onClose}
    />
  );
};
