import { Button, Menu } from "@mantine/core";
import { useCallback, useMemo, useState } from "react";
import { Link } from "wouter";
import type { FleetGroup } from "#contract/views.ts";
import { AddBoardDialog } from "#renderer/screens/add-board/add-board-dialog.tsx";
import { ManyBoardsDialog } from "#renderer/screens/add-board/many-boards-dialog.tsx";
import { messageOf } from "#renderer/state/states.ts";
import { useFleet, useLiveRound, useStates, useStudies } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem, Small } from "#renderer/ui/page.tsx";
import { useToast } from "#renderer/ui/toasts.tsx";
import { DeviceTable } from "./device-table.tsx";
import { rowsOf, summaryOf } from "./fleet-rows.ts";
import { GroupDialog } from "./group-dialog.tsx";
import { Groups, groupId } from "./groups.tsx";

/** From so many on, those that are gone are forgotten at once. */
const MANY_GONE = 6;

const FOUR = { count: 4, name: "virtual", slowness: 1, dropOut: 0, crash: 0 };

type Asking =
  | { readonly about: "add" | "board" | "many-boards" }
  | { readonly about: "change" | "remove"; readonly group: FleetGroup }
  | { readonly about: "forget"; readonly device: string }
  | { readonly about: "forget-offline" };

/** Who is there, who is at work, who has gone. */
export const FleetScreen = () => {
  const { client, setFleet } = useStates();
  const view = useFleet((state) => state.view);
  const problem = useFleet((state) => state.problem);
  const { study, live } = useLiveRound();
  const studyName = useStudies((state) => (study === undefined ? undefined : state.open[study]?.view.name));
  const toast = useToast();
  const [asking, setAsking] = useState<Asking>();
  const [busy, setBusy] = useState(false);
  const close = () => setAsking(undefined);
  const rows = useMemo(() => (view === undefined ? [] : rowsOf(view.devices, live)), [view, live]);
  const forget = useCallback((device: string) => setAsking({ about: "forget", device }), []);
  const groups = view?.groups ?? [];
  const gone =
    view?.devices.filter(
      ({ group, kind, connected }) => group === undefined && kind !== "board" && !connected,
    ).length ?? 0;
  const names = view?.devices.map(({ name }) => name) ?? [];
  const none = view !== undefined && rows.length === 0 && groups.length === 0;

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
      subtitle={rows.length === 0 ? "The devices that studies can train on." : summaryOf(rows)}
      actions={
        none ? undefined : (
          <>
            {gone >= MANY_GONE && (
              <Button onClick={() => setAsking({ about: "forget-offline" })}>
                Forget all that are offline
              </Button>
            )}
            {/* the menu gives its button an id of its own */}
            <div id="add-device">
              <Menu position="bottom-end" width={300}>
                <Menu.Target>
                  <Button variant="filled">Add device</Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <AddItem
                    title="A board over SSH"
                    text="Jetson, Raspberry Pi, or any Linux computer with Docker"
                    onClick={() => setAsking({ about: "board" })}
                  />
                  <AddItem
                    title="Several boards"
                    text="From a pasted list or a CSV file"
                    onClick={() => setAsking({ about: "many-boards" })}
                  />
                  <AddItem
                    title="Virtual devices"
                    text="Clients on this computer"
                    onClick={() => setAsking({ about: "add" })}
                  />
                </Menu.Dropdown>
              </Menu>
            </div>
          </>
        )
      }
    >
      {problem !== undefined && <Problem text={`The fleet could not be loaded. ${problem}`} />}
      {none && (
        <Card>
          <Empty
            title="No devices yet"
            text="A board is a Jetson, a Raspberry Pi or another Linux computer that the lab reaches over SSH and sets up by itself. Virtual devices are clients on this computer, as slow and as unreliable as you want them; four of them are enough for a first study."
          >
            <Button variant="filled" size="md" onClick={() => setAsking({ about: "board" })}>
              Add a board
            </Button>
            <Button size="md" onClick={() => setAsking({ about: "many-boards" })}>
              Add several boards
            </Button>
            <Button size="md" onClick={addFour} loading={busy}>
              Add four virtual devices
            </Button>
            <Button size="md" onClick={() => setAsking({ about: "add" })}>
              Choose what they are like
            </Button>
          </Empty>
        </Card>
      )}
      {groups.length > 0 && (
        <Groups
          groups={groups}
          onChange={(group) => setAsking({ about: "change", group })}
          onRemove={(group) => setAsking({ about: "remove", group })}
        />
      )}
      {rows.length > 0 && (
        <DeviceTable
          rows={rows}
          onForget={forget}
          round={
            study !== undefined &&
            live !== undefined && (
              <>
                round {live.round} of <Link href={`/studies/${study}`}>{studyName ?? study}</Link>
              </>
            )
          }
        />
      )}
      <AddBoardDialog opened={asking?.about === "board"} taken={names} onClose={close} />
      <ManyBoardsDialog opened={asking?.about === "many-boards"} taken={names} onClose={close} />
      <GroupDialog
        opened={asking?.about === "add" || asking?.about === "change"}
        group={asking?.about === "change" ? asking.group : undefined}
        groups={groups}
        devices={view?.devices ?? []}
        onClose={close}
      />
      <Confirm
        opened={asking?.about === "remove"}
        {...(asking?.about === "remove" ? { returnTo: groupId(asking.group.name) } : {})}
        title={asking?.about === "remove" ? `Remove ${asking.group.name}` : "Remove"}
        text={
          asking?.about === "remove" &&
          `${plural(asking.group.count, "device")} will leave the fleet and this list; those that a running study uses stay until it has ended and they are forgotten. Studies on record keep what they did.`
        }
        yes="Remove the group"
        onYes={async () => {
          if (asking?.about === "remove")
            setFleet(await client.fleet.removeGroup({ group: asking.group.name }));
        }}
        onClose={close}
      />
      <Confirm
        opened={asking?.about === "forget-offline"}
        title="Forget all that are offline"
        text={`${plural(gone, "device")} of no group will go off this list. Each comes back when it connects again. Studies on record keep what they did.`}
        yes={`Forget ${plural(gone, "device")}`}
        onYes={async () => setFleet(await client.fleet.forgetOffline())}
        onClose={close}
      />
      <Confirm
        opened={asking?.about === "forget"}
        title={asking?.about === "forget" ? `Forget ${asking.device}` : "Forget"}
        text="It goes off this list, and comes back when it connects again. Studies on record keep what it did."
        yes="Forget it"
        onYes={async () => {
          if (asking?.about === "forget") setFleet(await client.fleet.forget({ name: asking.device }));
        }}
        onClose={close}
      />
    </Page>
  );
};

const AddItem = ({
  title,
  text,
  onClick,
}: {
  readonly title: string;
  readonly text: string;
  readonly onClick: () => void;
}) => (
  <Menu.Item onClick={onClick}>
    <b>{title}</b>
    <br />
    <Small>{text}</Small>
  </Menu.Item>
);
