import { memo } from "react";
import { Link } from "wouter";
import type { DeviceUpdate, DeviceView, LiveDevice } from "#contract/views.ts";
import { shortModel } from "#renderer/screens/board/board-words.ts";
import type { DeviceState } from "#renderer/state/device-state.ts";
import { DeviceStateLabel } from "#renderer/ui/device-state-label.tsx";
import { computeSecondsOf, UPDATE_WORDS, workText } from "#renderer/ui/device-words.ts";
import { linkButtonClass } from "#renderer/ui/form.tsx";
import { ago, duration, percent } from "#renderer/ui/format.ts";
import { Small } from "#renderer/ui/page.tsx";
import { ProgressBar } from "#renderer/ui/progress-bar.tsx";
import { BoardImage, BoardTrouble, TelemetryCells } from "./board-cells.tsx";
import { DeviceName } from "./device-name.tsx";
import style from "./device-row.module.css";
import { canDelete, type FleetRow, imageText, kindText, lastSeenOf, underName } from "./fleet-rows.ts";

type RowProps = FleetRow & {
  readonly now: number;
  readonly onDelete: (device: string) => void;
  /** The table has the columns of boards. */
  readonly withBoards: boolean;
};

const Row = ({ device, state, live, now, onDelete, withBoards }: RowProps) => (
  <tr data-link className={style.row}>
    <th scope="row">
      <DeviceName name={device.name} under={underName(device)} />
    </th>
    <td data-column="kind" className={style.cut} title={kindText(device)}>
      {shortModel(kindText(device))}
    </td>
    {withBoards ? (
      <>
        <td className={style.work}>
          <DeviceStateLabel state={state} />
          {live !== undefined && <Work live={live} />}
          {device.board !== undefined && <BoardTrouble device={device} state={state} />}
        </td>
        <TelemetryCells device={device} state={state} />
        <td data-column="image" className={style.cut} title={imageText(device)}>
          <BoardImage device={device} />
        </td>
      </>
    ) : (
      <>
        <td>
          <DeviceStateLabel state={state} />
        </td>
        <td className={style.work}>{live === undefined ? <Small>–</Small> : <Work live={live} />}</td>
      </>
    )}
    <td data-column="lastRound">
      <LastRound update={device.lastUpdate} />
    </td>
    <td data-nowrap>
      <LastSeen device={device} state={state} now={now} />
      {canDelete(device) && (
        <button
          type="button"
          className={linkButtonClass}
          onClick={() => onDelete(device.name)}
          aria-label={`Delete ${device.name}`}
        >
          Delete
        </button>
      )}
    </td>
  </tr>
);
/** Drawn again only when its own device changes; telemetry goes straight to its cells. */
export const DeviceRow = memo(Row);

const LastSeen = ({
  device,
  state,
  now,
}: {
  readonly device: DeviceView;
  readonly state: DeviceState;
  readonly now: number;
}) => {
  const seen = lastSeenOf(device, state);
  if (seen === "now") return "now";
  if (seen !== undefined) return ago(seen, now);
  return <Small>never</Small>;
};

/** What it does in the round in progress. */
const Work = ({ live }: { readonly live: LiveDevice }) => {
  const text = workText(live);
  return (
    <>
      <span className={style.text} title={text} {...(live.failure === undefined ? {} : { "data-bad": true })}>
        {text}
        {live.phase === "training" && ` · ${percent(live.fraction ?? 0, 0)}`}
        {live.phase === "folded" && live.endedMs !== undefined && ` after ${duration(live.endedMs / 1000)}`}
      </span>
      {live.phase === "training" && <ProgressBar label="Local training" fraction={live.fraction ?? 0} />}
    </>
  );
};

const LastRound = ({ update }: { readonly update: DeviceUpdate | undefined }) => {
  if (update === undefined) return <Small>none yet</Small>;
  const seconds = computeSecondsOf(update);
  return (
    <>
      <span className={style.text} title={update.studyName}>
        <Link href={`/studies/${update.study}`}>{update.studyName}</Link>
      </span>
      <Small>
        round {update.round} ·{" "}
        <span {...(update.status === "folded" ? {} : { "data-bad": true })} title={update.failure?.cause}>
          {UPDATE_WORDS[update.status]}
        </span>
        {seconds !== undefined && ` · ${duration(seconds)}`}
      </Small>
    </>
  );
};
