import { Button } from "@mantine/core";
import { useState } from "react";
import type { DatasetsView, DatasetView } from "#contract/views.ts";
import { useData, useStates } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import style from "./data.module.css";
import { DatasetRow, NewDatasetRow } from "./dataset-row.tsx";
import { RegisterDialog } from "./register-dialog.tsx";

/** The data sets that studies can train on: ready, not downloaded, or damaged. */
export const DataScreen = () => {
  const view = useData((state) => state.view);
  const problem = useData((state) => state.problem);
  const [registering, setRegistering] = useState<string>();
  const [open, setOpen] = useState(false);
  const [removing, setRemoving] = useState<DatasetView>();
  const register = (name?: string) => {
    setRegistering(name);
    setOpen(true);
  };
  return (
    <Page
      title="Data"
      subtitle={view === undefined ? "The data sets that studies can train on." : dataSummary(view.entries)}
      actions={
        <Button variant="filled" onClick={() => register()}>
          Register folder or archive
        </Button>
      }
    >
      {problem !== undefined && <Problem text={`Could not list the data sets. ${problem}`} />}
      {view === undefined && problem === undefined && (
        <Card>
          <Empty title="Loading" text="Checking the data on this computer against its checksums." />
        </Card>
      )}
      {view !== undefined && <DatasetList view={view} onRegister={register} onRemove={setRemoving} />}
      <RegisterDialog opened={open} name={registering} onClose={() => setOpen(false)} />
      <RemoveDataset entry={removing} onClose={() => setRemoving(undefined)} />
    </Page>
  );
};

const dataSummary = (entries: readonly DatasetView[]): string => {
  const count = (state: DatasetView["state"]) => entries.filter((entry) => entry.state === state).length;
  const parts = [plural(entries.length, "data set"), `${count("ready")} ready`];
  if (count("missing") > 0) parts.push(`${count("missing")} not downloaded`);
  if (count("damaged") > 0) parts.push(`${count("damaged")} damaged`);
  return parts.join(" · ");
};

const DatasetList = ({
  view: { entries, transfers },
  onRegister,
  onRemove,
}: {
  readonly view: DatasetsView;
  readonly onRegister: (name: string) => void;
  readonly onRemove: (entry: DatasetView) => void;
}) => (
  <Card>
    <ul className={style.list}>
      {entries.map((entry) => (
        <DatasetRow
          key={entry.name}
          entry={entry}
          isCopy={entry.registered && entries.some((e) => e !== entry && e.title === entry.title)}
          transfer={transfers.find(({ name }) => name === entry.name)}
          onRegister={() => onRegister(entry.name)}
          onRemove={() => onRemove(entry)}
        />
      ))}
      {transfers
        .filter(({ name, state }) => state === "running" && !entries.some((entry) => entry.name === name))
        .map((transfer) => (
          <NewDatasetRow key={transfer.name} transfer={transfer} />
        ))}
    </ul>
  </Card>
);

const RemoveDataset = ({
  entry,
  onClose,
}: {
  readonly entry: DatasetView | undefined;
  readonly onClose: () => void;
}) => {
  const { client, setData } = useStates();
  const place = entry?.where === undefined ? "where they are" : `in ${entry.where}`;
  return (
    <Confirm
      opened={entry !== undefined}
      title={`Remove ${entry?.name ?? "the data set"} from the list?`}
      text={`Its files stay ${place}. Studies keep their results, but a stopped study that uses this data set cannot resume without it.`}
      yes="Remove"
      onYes={async () => {
        if (entry !== undefined) setData(await client.data.remove({ name: entry.name }));
      }}
      onClose={onClose}
    />
  );
};
