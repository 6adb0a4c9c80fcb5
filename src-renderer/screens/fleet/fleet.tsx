import { Button } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { Link } from "wouter";
import type { VirtualGroup } from "#contract/fleet.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { useFleet, useLiveRound, useStates, useStudies } from "#renderer/state/use-states.ts";
import { Page, Problem } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { type AddableDevice, AddDeviceMenu } from "./add-device-menu.tsx";
import { DeviceTable } from "./device-table.tsx";
import { type FleetDialog, FleetDialogs } from "./fleet-dialogs.tsx";
import { canDelete, fleetSummary, rowsOf } from "./fleet-rows.ts";
import { Groups } from "./groups.tsx";
import { NoDevices } from "./no-devices.tsx";

/** From this many on, one button deletes all devices that are gone. */
const MANY_GONE = 6;

const FOUR: VirtualGroup = { count: 4, name: "virtual", slowness: 1, dropOut: 0, crash: 0 };

/** The devices that studies can train on: their states, and ways to add and delete them. */
export const FleetScreen = () => {
  const { client, setFleet } = useStates();
  const view = useFleet((state) => state.view);
  const problem = useFleet((state) => state.problem);
  const { study, live } = useLiveRound();
  const studyName = useStudies((state) => (study === undefined ? undefined : state.open[study]?.view.name));
  const toast = useToast();
  const [dialog, setDialog] = useState<FleetDialog>();
  const [busy, setBusy] = useState(false);
  const rows = useMemo(() => (view === undefined ? [] : rowsOf(view.devices, live)), [view, live]);
  const add = useCallback((about: AddableDevice) => setDialog({ about }), []);
  const askToDelete = useCallback((device: string) => setDialog({ about: "delete", device }), []);
  const groups = view?.groups ?? [];
  const gone = view?.devices.filter(canDelete).length ?? 0;
  const isEmpty = view !== undefined && rows.length === 0 && groups.length === 0;

  const addFour = async () => {
    setBusy(true);
    try {
      setFleet(await client.fleet.addGroup(FOUR));
    } catch (error) {
      toast({ tone: "bad", text: messageOf(error) });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Page
      title="Fleet"
      subtitle={rows.length === 0 ? "The devices that studies can train on." : fleetSummary(rows)}
      actions={
        isEmpty ? undefined : (
          <>
            {gone >= MANY_GONE && (
              <Button onClick={() => setDialog({ about: "delete-offline" })}>Delete all offline</Button>
            )}
            <AddDeviceMenu onAdd={add} />
          </>
        )
      }
    >
      {problem !== undefined && <Problem text={`Could not load the fleet. ${problem}`} />}
      {isEmpty && <NoDevices onAdd={add} onAddFour={addFour} busy={busy} />}
      {groups.length > 0 && (
        <Groups
          groups={groups}
          onEdit={(group) => setDialog({ about: "edit-group", group })}
          onRemove={(group) => setDialog({ about: "remove-group", group })}
        />
      )}
      {rows.length > 0 && (
        <DeviceTable
          rows={rows}
          onDelete={askToDelete}
          round={
            study !== undefined &&
            live !== undefined && (
              <>
                round {live.round} of{" "}
                <Link href={`/studies/${study}`}>{studyName ?? "the running study"}</Link>
              </>
            )
          }
        />
      )}
      <FleetDialogs dialog={dialog} view={view} onClose={() => setDialog(undefined)} />
    </Page>
  );
};
