import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import type { DatasetView, Transfer } from "#contract/views.ts";
import { useData, useStates } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { asSentence, bytes, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Pill, Problem, type Tone } from "#renderer/ui/page.tsx";
import style from "./data.module.css";
import { DatasetActions } from "./dataset-actions.tsx";
import { RegisterDialog } from "./register-dialog.tsx";
import { TransferLine } from "./transfer-line.tsx";
import { shortPath, titleParts, VERIFIED } from "./transfer-words.ts";

/** What studies can train on: what is here, what can be fetched, what is broken. */
export const DataScreen = () => {
  const { client, setData } = useStates();
  const view = useData((state) => state.view);
  const problem = useData((state) => state.problem);
  const [registering, setRegistering] = useState<string>();
  const [open, setOpen] = useState(false);
  const [removing, setRemoving] = useState<DatasetView>();
  const entries = view?.entries ?? [];
  const register = (name?: string) => {
    setRegistering(name);
    setOpen(true);
  };
  return (
    <Page
      title="Data"
      subtitle={view === undefined ? "What studies can train on." : summaryOf(entries)}
      actions={
        <Button variant="filled" onClick={() => register()}>
          Register a folder or an archive
        </Button>
      }
    >
      {problem !== undefined && <Problem text={`The data sets could not be listed. ${problem}`} />}
      {view === undefined && problem === undefined && (
        <Card>
          <Empty
            title="Looking"
            text="Looking at what lies on this computer and comparing it with its checksums."
          />
        </Card>
      )}
      {view !== undefined && (
        <Card>
          <ul className={style.list}>
            {entries.map((entry) => (
              <Line
                key={entry.name}
                entry={entry}
                twin={entry.registered && entries.some((e) => e !== entry && e.title === entry.title)}
                transfer={view.transfers.find(({ name }) => name === entry.name)}
                onRegister={() => register(entry.name)}
                onRemove={() => setRemoving(entry)}
              />
            ))}
            {view.transfers
              .filter(
                ({ name, state }) => state === "running" && !entries.some((entry) => entry.name === name),
              )
              .map((transfer) => (
                <li key={transfer.name}>
                  <h2>{transfer.name}</h2>
                  <TransferLine transfer={transfer} />
                </li>
              ))}
          </ul>
        </Card>
      )}
      <RegisterDialog opened={open} name={registering} onClose={() => setOpen(false)} />
      <Confirm
        opened={removing !== undefined}
        title={`Remove ${removing?.name ?? "it"} from the list`}
        text={
          removing?.where === undefined
            ? "Its files stay where they are. Studies on record keep their results."
            : `Its files stay where they are, in ${removing.where}. Studies on record keep their results; those that were stopped cannot go on without it.`
        }
        yes="Remove it from the list"
        onYes={async () => {
          if (removing !== undefined) setData(await client.data.remove({ name: removing.name }));
        }}
        onClose={() => setRemoving(undefined)}
      />
    </Page>
  );
};

const summaryOf = (entries: readonly DatasetView[]): string => {
  const of = (state: DatasetView["state"]) => entries.filter((entry) => entry.state === state).length;
  const parts = [plural(entries.length, "data set"), `${of("ready")} ready`];
  if (of("missing") > 0) parts.push(`${of("missing")} not on this computer`);
  if (of("damaged") > 0) parts.push(`${of("damaged")} damaged`);
  return parts.join(" · ");
};

const STATE: Readonly<Record<DatasetView["state"], { tone: Tone; mark: string; word: string }>> = {
  ready: { tone: "ok", mark: "✓", word: "Ready" },
  missing: { tone: "quiet", mark: "◦", word: "Not here" },
  damaged: { tone: "bad", mark: "✕", word: "Damaged" },
};

export const DataState = ({ entry }: { readonly entry: DatasetView }) => {
  const { tone, mark, word } = STATE[entry.state];
  return (
    <Pill tone={tone} mark={mark}>
      {word}
    </Pill>
  );
};

interface LineProps {
  readonly entry: DatasetView;
  /** Another one has the same title: its own name tells them apart. */
  readonly twin: boolean;
  readonly transfer: Transfer | undefined;
  readonly onRegister: () => void;
  readonly onRemove: () => void;
}

const Line = ({ entry, twin, transfer, onRegister, onRemove }: LineProps) => {
  const busy = transfer?.state === "running";
  const { title, about } = titleParts(entry.title);
  return (
    <li>
      <div className={style.about}>
        <h2>
          <Link href={`/data/${encodeURIComponent(entry.name)}`}>{twin ? entry.name : title}</Link>
        </h2>
        <small>
          {[twin ? title : entry.name, about, entry.bytes === undefined ? undefined : bytes(entry.bytes)]
            .filter((part) => part !== undefined)
            .join(" · ")}
        </small>
        {entry.where !== undefined && <small title={entry.where}>{shortPath(entry.where, 72)}</small>}
        <small>Terms: {entry.terms}</small>
      </div>
      <div className={style.state}>
        <DataState entry={entry} />
        {entry.state === "ready" && entry.verified !== undefined && (
          <small>{asSentence(VERIFIED[entry.verified])}</small>
        )}
        {entry.state === "damaged" && (
          <div className={style.trouble}>
            {asSentence(entry.problem ?? "Its files are not what they should be")} {entry.next}
          </div>
        )}
        {busy && <TransferLine transfer={transfer} />}
        {transfer?.state === "stopped" && (
          <small>
            The download was stopped
            {transfer.done === undefined ? "" : ` at ${bytes(transfer.done)}`}; it goes on from there.
          </small>
        )}
        <div className={style.actions}>
          <DatasetActions entry={entry} transfer={transfer} onRegister={onRegister} onRemove={onRemove} />
        </div>
      </div>
      {transfer?.state === "failed" && <p className={style.failed}>{transfer.problem}</p>}
    </li>
  );
};
