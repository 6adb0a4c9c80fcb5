import { Link } from "wouter";
import type { DatasetView, Transfer } from "#contract/views.ts";
import { asSentence, bytes } from "#renderer/ui/format.ts";
import { DatasetActions } from "./dataset-actions.tsx";
import style from "./dataset-row.module.css";
import { DatasetState } from "./dataset-state.tsx";
import { damageText, shortPath, titleParts, VERIFIED } from "./dataset-text.ts";
import { TransferLine } from "./transfer-line.tsx";

interface DatasetRowProps {
  readonly entry: DatasetView;
  /** Another data set has the same title: this one's name tells them apart. */
  readonly isCopy: boolean;
  readonly transfer: Transfer | undefined;
  readonly onRegister: () => void;
  readonly onRemove: () => void;
}

/** A data set on the list. */
export const DatasetRow = ({ entry, isCopy, transfer, onRegister, onRemove }: DatasetRowProps) => (
  <li className={style.row}>
    <AboutDataset entry={entry} isCopy={isCopy} />
    <div className={style.state}>
      <DatasetState state={entry.state} />
      {entry.state === "ready" && entry.verified !== undefined && (
        <small>{asSentence(VERIFIED[entry.verified])}</small>
      )}
      {entry.state === "damaged" && <div className={style.damage}>{damageText(entry)}</div>}
      {transfer?.state === "running" && <TransferLine transfer={transfer} />}
      {transfer?.state === "stopped" && (
        <small>
          Download stopped{transfer.done === undefined ? "" : ` at ${bytes(transfer.done)}`}. It resumes from
          there.
        </small>
      )}
      <div className={style.actions}>
        <DatasetActions entry={entry} transfer={transfer} onRegister={onRegister} onRemove={onRemove} />
      </div>
    </div>
    {transfer?.state === "failed" && <p className={style.failed}>{transfer.problem}</p>}
  </li>
);

const AboutDataset = ({ entry, isCopy }: Pick<DatasetRowProps, "entry" | "isCopy">) => {
  const { name, where, terms } = entry;
  const { title, about } = titleParts(entry.title);
  const size = entry.bytes === undefined ? undefined : bytes(entry.bytes);
  return (
    <div className={style.about}>
      <h2>
        <Link href={`/data/${encodeURIComponent(name)}`}>{isCopy ? name : title}</Link>
      </h2>
      <small>{[isCopy ? title : name, about, size].filter((part) => part !== undefined).join(" · ")}</small>
      {where !== undefined && <small title={where}>{shortPath(where, 72)}</small>}
      <small>Licence: {terms}</small>
    </div>
  );
};

/** A registration in progress of a data set that is not on the list yet. */
export const NewDatasetRow = ({ transfer }: { readonly transfer: Transfer }) => (
  <li className={style.row}>
    <h2>{transfer.name}</h2>
    <TransferLine transfer={transfer} />
  </li>
);
