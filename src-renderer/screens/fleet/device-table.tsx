import { Button, TextInput } from "@mantine/core";
import { useMemo, useRef, useState } from "react";
import { useNow } from "#renderer/state/use-states.ts";
import { count, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Small, tableClass } from "#renderer/ui/page.tsx";
import { DeviceRow } from "./device-row.tsx";
import style from "./fleet.module.css";
import {
  type FleetRow,
  matches,
  NARROWED,
  type Narrowed,
  type Sorting,
  type SortKey,
  sorted,
} from "./fleet-rows.ts";

interface Column {
  readonly key: SortKey | "work" | "temperature" | "memory";
  readonly title: string;
  readonly num?: true;
}
const WITHOUT_BOARDS: readonly Column[] = [
  { key: "device", title: "Device" },
  { key: "kind", title: "Kind" },
  { key: "state", title: "State" },
  { key: "work", title: "Current work" },
  { key: "lastRound", title: "Last round" },
  { key: "lastSeen", title: "Last seen" },
];
const WITH_BOARDS: readonly Column[] = [
  { key: "device", title: "Device" },
  { key: "kind", title: "Model" },
  { key: "state", title: "State" },
  { key: "temperature", title: "Temp.", num: true },
  { key: "memory", title: "Memory", num: true },
  { key: "image", title: "Image" },
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
  const [narrowed, setNarrowed] = useState<Narrowed>();
  const [sorting, setSorting] = useState<Sorting>({ by: "device", down: false });
  const [wantedFrom, setFrom] = useState(0);
  const table = useRef<HTMLTableElement>(null);
  const filter = wanted.trim();
  const hasBoards = useMemo(() => rows.some(({ device }) => device.kind === "board"), [rows]);
  const columns = hasBoards ? WITH_BOARDS : WITHOUT_BOARDS;
  const shown = useMemo(() => {
    const found = rows.filter(
      (row) =>
        (filter === "" || matches(row, filter)) &&
        (narrowed === undefined || NARROWED[narrowed].has(row.state)),
    );
    return sorted(found, sorting);
  }, [rows, filter, narrowed, sorting]);
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
                {shown.length === rows.length
                  ? ""
                  : `${count(shown.length)} of ${plural(rows.length, "device")}`}
              </span>
            </Small>
            <TextInput
              size="xs"
              value={wanted}
              onChange={(event) => {
                setWanted(event.currentTarget.value);
                setFrom(0);
              }}
              placeholder={hasBoards ? "Name, model, state or problem" : "Name, group, state or study"}
              aria-label="Show only devices with"
            />
          </div>
        )
      }
    >
      {hasBoards && rows.length > MANY && (
        <Narrow
          rows={rows}
          narrowed={narrowed}
          onNarrow={(next) => {
            setNarrowed(next);
            setFrom(0);
          }}
        />
      )}
      <table
        ref={table}
        className={`${tableClass} ${style.table} ${hasBoards ? style.withBoards : style.withoutBoards}`}
      >
        <thead>
          <tr>
            {columns.map(({ key, title, num }) => (
              <th
                key={key}
                data-column={key}
                {...(num === true ? { "data-num": true } : {})}
                {...(sorting.by === key
                  ? { "aria-sort": sorting.down ? ("descending" as const) : ("ascending" as const) }
                  : {})}
              >
                {key === "work" || key === "temperature" || key === "memory" ? (
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
            <DeviceRow
              key={device.name}
              device={device}
              state={state}
              live={live}
              now={now}
              onForget={onForget}
              withBoards={hasBoards}
            />
          ))}
        </tbody>
      </table>
      {shown.length > DRAWN && <Pages from={from} of={shown.length} onTurn={turn} />}
      {shown.length === 0 && (
        <Empty title="No device like that" text="No name, group, state or study has these words in it.">
          <Button
            onClick={() => {
              setWanted("");
              setNarrowed(undefined);
            }}
          >
            Show all devices
          </Button>
        </Empty>
      )}
    </Card>
  );
};

/** How many are in which state; one click shows only those. */
const Narrow = ({
  rows,
  narrowed,
  onNarrow,
}: {
  readonly rows: readonly FleetRow[];
  readonly narrowed: Narrowed | undefined;
  readonly onNarrow: (next: Narrowed | undefined) => void;
}) => (
  <fieldset className={style.narrow}>
    <legend>Show only</legend>
    {(Object.keys(NARROWED) as Narrowed[]).map((key) => {
      const { word, has } = NARROWED[key];
      const n = rows.filter(({ state }) => has(state)).length;
      return (
        <button
          key={key}
          type="button"
          aria-pressed={narrowed === key}
          disabled={n === 0 && narrowed !== key}
          data-kind={key}
          onClick={() => onNarrow(narrowed === key ? undefined : key)}
        >
          <b>{count(n)}</b> {word}
        </button>
      );
    })}
  </fieldset>
);

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
