import { Button, TextInput } from "@mantine/core";
import { memo, useMemo, useRef, useState } from "react";
import { Link } from "wouter";
import type { DeviceView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { ago, count, duration, percent, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Small, tableClass } from "#renderer/ui/page.tsx";
import style from "./fleet.module.css";
import {
  type FleetRow,
  matches,
  type Sorting,
  type SortKey,
  STATE_WORDS,
  secondsOf,
  sorted,
  underName,
  workText,
} from "./fleet-rows.ts";

const COLUMNS: readonly { readonly key: SortKey | "work"; readonly title: string }[] = [
  { key: "device", title: "Device" },
  { key: "kind", title: "Kind" },
  { key: "state", title: "State" },
  { key: "work", title: "Current work" },
  { key: "lastRound", title: "Last round" },
  { key: "lastSeen", title: "Last seen" },
];

/** "14 s ago" need not tick on two hundred lines every second. */
const CALM_MS = 5000;
/** A list that fits on a screen needs no filter. */
const MANY = 8;
/** So many rows are drawn at once without being felt; more are on further pages. */
const DRAWN = 300;

export const DeviceTable = ({
  rows,
  round,
  onForget,
}: {
  readonly rows: readonly FleetRow[];
  /** What the current work belongs to. */
  readonly round: React.ReactNode;
  readonly onForget: (device: string) => void;
}) => {
  const now = useNow(CALM_MS);
  const [wanted, setWanted] = useState("");
  const [sorting, setSorting] = useState<Sorting>({ by: "device", down: false });
  const [wantedFrom, setFrom] = useState(0);
  const table = useRef<HTMLTableElement>(null);
  const filter = wanted.trim();
  const shown = useMemo(
    () => sorted(filter === "" ? rows : rows.filter((row) => matches(row, filter)), sorting),
    [rows, filter, sorting],
  );
  // devices may have gone since
  const from = Math.min(wantedFrom, Math.floor(Math.max(0, shown.length - 1) / DRAWN) * DRAWN);
  const turn = (to: number) => {
    setFrom(to);
    table.current?.scrollIntoView({ block: "start" });
  };
  return (
    <Card
      title="Devices"
      note={round}
      aside={
        rows.length > MANY && (
          <div className={style.filter}>
            <Small>
              <span aria-live="polite">
                {filter === "" ? "" : `${count(shown.length)} of ${plural(rows.length, "device")}`}
              </span>
            </Small>
            <TextInput
              size="xs"
              value={wanted}
              onChange={(event) => {
                setWanted(event.currentTarget.value);
                setFrom(0);
              }}
              placeholder="Name, group, state or study"
              aria-label="Show only devices with"
            />
          </div>
        )
      }
    >
      <table ref={table} className={`${tableClass} ${style.table}`}>
        <thead>
          <tr>
            {COLUMNS.map(({ key, title }) => (
              <th
                key={key}
                {...(sorting.by === key
                  ? { "aria-sort": sorting.down ? ("descending" as const) : ("ascending" as const) }
                  : {})}
              >
                {key === "work" ? (
                  title
                ) : (
                  <button
                    type="button"
                    className={style.sort}
                    onClick={() => {
                      setSorting(({ by, down }) => ({
                        by: key,
                        down: by === key ? !down : key === "lastRound",
                      }));
                      setFrom(0);
                    }}
                  >
                    {title}
                    <span aria-hidden>{sorting.by !== key ? "" : sorting.down ? "↓" : "↑"}</span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.slice(from, from + DRAWN).map(({ device, state, live }) => (
            <Row key={device.name} device={device} state={state} live={live} now={now} onForget={onForget} />
          ))}
        </tbody>
      </table>
      {shown.length > DRAWN && <Pages from={from} of={shown.length} onTurn={turn} />}
      {shown.length === 0 && (
        <Empty title="No device like that" text="No name, group, state or study has these words in it.">
          <Button onClick={() => setWanted("")}>Show all devices</Button>
        </Empty>
      )}
    </Card>
  );
};

/** Ten thousand rows at once would stop the page for a minute. */
const Pages = ({
  from,
  of,
  onTurn,
}: {
  readonly from: number;
  readonly of: number;
  readonly onTurn: (from: number) => void;
}) => {
  const end = Math.min(of, from + DRAWN);
  const next = Math.min(DRAWN, of - end);
  return (
    <nav className={style.rest} aria-label="Pages of devices">
      <Small>
        <span aria-live="polite">
          {count(from + 1)} to {count(end)} of {plural(of, "device")}
        </span>
      </Small>
      {from > 0 && (
        <Button size="xs" onClick={() => onTurn(from - DRAWN)}>
          Previous {DRAWN}
        </Button>
      )}
      {next > 0 && (
        <Button size="xs" onClick={() => onTurn(end)}>
          Next {next} of {count(of)}
        </Button>
      )}
    </nav>
  );
};

type RowProps = FleetRow & { readonly now: number; readonly onForget: (device: string) => void };

const RowOf = ({ device, state, live, now, onForget }: RowProps) => (
  <tr data-link>
    <th scope="row" className={style.name}>
      <Link href={`/fleet/${encodeURIComponent(device.name)}`} title={device.name}>
        {device.name}
      </Link>
      <small title={underName(device)}>{underName(device)}</small>
    </th>
    <td>{device.kind}</td>
    <td>
      <State state={state} />
    </td>
    <td className={style.work}>
      <Work live={live} />
    </td>
    <td className={style.lastRound}>
      <LastRound device={device} />
    </td>
    <td data-nowrap>
      {state !== "offline" ? (
        "now"
      ) : device.lastSeen === undefined ? (
        <Small>not yet</Small>
      ) : (
        ago(device.lastSeen, now)
      )}
      {device.group === undefined && !device.connected && (
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
const Row = memo(RowOf);

export const State = ({ state }: { readonly state: FleetRow["state"] }) => (
  <span className={style.state}>
    <i data-state={state} aria-hidden />
    {STATE_WORDS[state]}
  </span>
);

const Work = ({ live }: { readonly live: FleetRow["live"] }) => {
  if (live === undefined) return <Small>–</Small>;
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
