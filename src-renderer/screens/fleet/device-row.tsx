import { memo } from "react";
import { Link } from "wouter";
import type { DeviceView } from "#contract/views.ts";
import {
  degrees,
  firstActionOf,
  memoryText,
  problemOf,
  shortImage,
  shortModel,
  throttlingText,
} from "#renderer/screens/board/board-words.ts";
import { boardPath, useBoardActions } from "#renderer/screens/board/use-board-actions.ts";
import { useTelemetry } from "#renderer/state/use-states.ts";
import { ago, duration, percent } from "#renderer/ui/format.ts";
import { Small } from "#renderer/ui/page.tsx";
import style from "./fleet.module.css";
import {
  type FleetRow,
  kindText,
  lastSeenOf,
  STATE_WORDS,
  secondsOf,
  setupText,
  underName,
  workText,
} from "./fleet-rows.ts";

type RowProps = FleetRow & {
  readonly now: number;
  readonly onForget: (device: string) => void;
  /** The columns of boards are there. */
  readonly withBoards: boolean;
};

const RowOf = ({ device, state, live, now, onForget, withBoards }: RowProps) => (
  <tr data-link>
    <th scope="row" className={style.name}>
      <Link href={`/fleet/${encodeURIComponent(device.name)}`} title={device.name}>
        {device.name}
      </Link>
      <small title={underName(device)}>{underName(device)}</small>
    </th>
    <td data-column="kind" className={style.cut} title={kindText(device)}>
      {shortModel(kindText(device))}
    </td>
    {withBoards ? (
      <>
        <td className={style.work}>
          <State state={state} />
          {live !== undefined && <Work live={live} />}
          {device.board !== undefined && <Trouble device={device} state={state} />}
        </td>
        <Told device={device} state={state} />
        <td data-column="image" className={style.cut} title={setupText(device)}>
          {device.board === undefined ? <Small>–</Small> : <Setup device={device} />}
        </td>
      </>
    ) : (
      <>
        <td>
          <State state={state} />
        </td>
        <td className={style.work}>{live === undefined ? <Small>–</Small> : <Work live={live} />}</td>
      </>
    )}
    <td data-column="lastRound" className={style.lastRound}>
      <LastRound device={device} />
    </td>
    <td data-nowrap>
      <LastSeen device={device} state={state} now={now} />
      {device.group === undefined && device.kind !== "board" && !device.connected && (
        <button
          type="button"
          className={style.forget}
          onClick={() => onForget(device.name)}
          aria-label={`Forget ${device.name}`}
        >
          Forget
        </button>
      )}
    </td>
  </tr>
);
/** Drawn anew only when something of its own device is another: telemetry comes to its cells directly. */
export const DeviceRow = memo(RowOf);

const LastSeen = ({
  device,
  state,
  now,
}: {
  readonly device: DeviceView;
  readonly state: FleetRow["state"];
  readonly now: number;
}) => {
  const seen = lastSeenOf(device, state);
  if (seen === "now") return "now";
  if (seen !== undefined) return ago(seen, now);
  return <Small>{device.board === undefined ? "not yet" : "–"}</Small>;
};

export const State = ({ state }: { readonly state: FleetRow["state"] }) => (
  <span className={style.state}>
    <i data-state={state} aria-hidden />
    {STATE_WORDS[state]}
  </span>
);

/** Above this a board slows down. */
const WARM = 75;
const HOT = 85;

/** Temperature and memory, which come about once a second: nothing else of the row is drawn for them. */
const Told = ({ device, state }: { readonly device: DeviceView; readonly state: FleetRow["state"] }) => {
  const point = useTelemetry(device.board === undefined ? undefined : device.name);
  const fresh = device.board?.state === "online" && state !== "offline";
  const warm = degrees(point?.temperature);
  const memory = memoryText(point);
  const slowed = throttlingText(point?.throttling);
  if (device.board === undefined || !fresh || point === undefined) {
    return (
      <>
        <td data-column="temperature" data-num>
          <Small>–</Small>
        </td>
        <td data-column="memory" data-num>
          <Small>–</Small>
        </td>
      </>
    );
  }
  const { temperature = 0 } = point;
  const tone = temperature >= HOT ? "bad" : temperature >= WARM || slowed !== undefined ? "warn" : undefined;
  return (
    <>
      <td
        data-column="temperature"
        data-num
        {...(tone === undefined ? {} : { "data-tone": tone })}
        title={slowed}
      >
        {slowed !== undefined && <span aria-hidden>! </span>}
        {warm ?? <Small>–</Small>}
        {slowed !== undefined && <span className={style.hidden}>, {slowed}</span>}
      </td>
      <td data-column="memory" data-num>
        {memory ?? <Small>–</Small>}
      </td>
    </>
  );
};

/** A board's problem in words, and the first thing that can be done about it. */
const Trouble = ({ device, state }: { readonly device: DeviceView; readonly state: FleetRow["state"] }) => {
  const actions = useBoardActions(device.name);
  const { board } = device;
  if (board === undefined) return null;
  const problem = problemOf(board);
  const action = firstActionOf(board);
  if (problem === undefined && action === undefined) {
    return state === "needs-setup" ? (
      <Link className={style.mend ?? ""} href={boardPath(device.name, "set-up")}>
        Set up
      </Link>
    ) : null;
  }
  return (
    <>
      {problem !== undefined && (
        <span className={style.trouble} title={`${problem.title}. ${problem.cause} ${problem.next}`}>
          {problem.title}
        </span>
      )}
      {action === undefined && state === "needs-you" && (
        <Link className={style.mend ?? ""} href={boardPath(device.name, "replace-key")}>
          Compare the keys
        </Link>
      )}
      {action !== undefined && (
        <button
          type="button"
          className={style.mend}
          disabled={actions.busy !== undefined}
          onClick={() => actions.run(action, board)}
          aria-label={`${action.label}: ${device.name}`}
        >
          {action.label}
        </button>
      )}
    </>
  );
};

const Setup = ({ device }: { readonly device: DeviceView }) => {
  const text = setupText(device);
  return device.board?.setup === "ready" ? shortImage(text) : <Small>{text}</Small>;
};

const Work = ({ live }: { readonly live: NonNullable<FleetRow["live"]> }) => {
  const text = workText(live);
  const bad = live.failure !== undefined;
  return (
    <>
      <span className={style.workText} title={text} {...(bad ? { "data-bad": true } : {})}>
        {text}
        {live.phase === "training" && ` · ${percent(live.fraction ?? 0, 0)}`}
        {live.phase === "folded" && live.endedMs !== undefined && ` after ${duration(live.endedMs / 1000)}`}
      </span>
      {live.phase === "training" && (
        <progress className={style.bar} max={1} value={live.fraction ?? 0} aria-label="Local training done" />
      )}
    </>
  );
};

const STATUS_WORDS = { folded: "folded", refused: "refused", failed: "failed", late: "late" };

const LastRound = ({ device }: { readonly device: DeviceView }) => {
  const update = device.lastUpdate;
  if (update === undefined) return <Small>none yet</Small>;
  const seconds = secondsOf(update);
  return (
    <>
      <span className={style.workText} title={update.studyName}>
        <Link href={`/studies/${update.study}`}>{update.studyName}</Link>
      </span>
      <Small>
        round {update.round} ·{" "}
        <span {...(update.status === "folded" ? {} : { "data-bad": true })} title={update.failure?.cause}>
          {STATUS_WORDS[update.status]}
        </span>
        {seconds !== undefined && ` · ${duration(seconds)}`}
      </Small>
    </>
  );
};
