import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useMemo, useRef, useState } from "react";
import { useNow } from "#renderer/state/use-states.ts";
import { count, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Small, tableClass } from "#renderer/ui/page.tsx";
import { BOARD_COLUMNS, DEVICE_COLUMNS, type DeviceColumn } from "./device-columns.ts";
import { DevicePages } from "./device-pages.tsx";
import { DeviceRow } from "./device-row.tsx";
import style from "./device-table.module.css";
import {
  type FleetRow,
  matchesFilter,
  type Sorting,
  STATE_FILTERS,
  type StateFilterKey,
  sortedRows,
} from "./fleet-rows.ts";
import { StateFilter } from "./state-filter.tsx";

/** "14 s ago" need not tick every second on two hundred rows. */
const CALM_MS = 5000;
/** A list that fits on a screen needs no filter. */
const MANY = 8;
/** As many rows as a browser draws without delay; more are on further pages. */
const PAGE_SIZE = 300;

export const DeviceTable = ({
  rows,
  round,
  onDelete,
}: {
  readonly rows: readonly FleetRow[];
  /** Names the round that the current work belongs to. */
  readonly round: ReactNode;
  readonly onDelete: (device: string) => void;
}) => {
  const now = useNow(CALM_MS);
  const [typed, setTyped] = useState("");
  const [stateFilter, setStateFilter] = useState<StateFilterKey>();
  const [sorting, setSorting] = useState<Sorting>({ by: "device", down: false });
  const [wantedFrom, setFrom] = useState(0);
  const table = useRef<HTMLTableElement>(null);
  const hasBoards = useMemo(() => rows.some(({ device }) => device.kind === "board"), [rows]);
  const shown = useMemo(() => {
    const text = typed.trim();
    const found = rows.filter(
      (row) =>
        (text === "" || matchesFilter(row, text)) &&
        (stateFilter === undefined || STATE_FILTERS[stateFilter].has(row.state)),
    );
    return sortedRows(found, sorting);
  }, [rows, typed, stateFilter, sorting]);
  // the page that was shown may have no rows left
  const from = Math.min(wantedFrom, Math.floor(Math.max(0, shown.length - 1) / PAGE_SIZE) * PAGE_SIZE);
  const turnTo = (to: number) => {
    setFrom(to);
    table.current?.scrollIntoView({ block: "start" });
  };
  /** A new filter or order is shown from its first page. */
  const fromTheTop =
    <T,>(set: (next: T) => void) =>
    (next: T) => {
      set(next);
      setFrom(0);
    };
  return (
    <Card
      title="Devices"
      note={round}
      aside={
        rows.length > MANY && (
          <TextFilter
            typed={typed}
            onType={fromTheTop(setTyped)}
            found={
              shown.length === rows.length ? "" : `${count(shown.length)} of ${plural(rows.length, "device")}`
            }
            placeholder={hasBoards ? "Name, model, state or problem" : "Name, group, state or study"}
          />
        )
      }
    >
      {hasBoards && rows.length > MANY && (
        <StateFilter rows={rows} chosen={stateFilter} onChoose={fromTheTop(setStateFilter)} />
      )}
      <table ref={table} className={`${tableClass} ${style.table} ${hasBoards ? style.withBoards : ""}`}>
        <Head
          columns={hasBoards ? BOARD_COLUMNS : DEVICE_COLUMNS}
          sorting={sorting}
          onSort={fromTheTop(setSorting)}
        />
        <tbody>
          {shown.slice(from, from + PAGE_SIZE).map(({ device, state, live }) => (
            <DeviceRow
              key={device.name}
              device={device}
              state={state}
              live={live}
              now={now}
              onDelete={onDelete}
              withBoards={hasBoards}
            />
          ))}
        </tbody>
      </table>
      {shown.length > PAGE_SIZE && (
        <DevicePages from={from} of={shown.length} size={PAGE_SIZE} onTurn={turnTo} />
      )}
      {shown.length === 0 && (
        <Empty title="No matching device" text="No device in the fleet matches the filter.">
          <Button
            onClick={() => {
              setTyped("");
              setStateFilter(undefined);
            }}
          >
            Show all devices
          </Button>
        </Empty>
      )}
    </Card>
  );
};

const TextFilter = ({
  typed,
  onType,
  found,
  placeholder,
}: {
  readonly typed: string;
  readonly onType: (text: string) => void;
  /** How many devices are left; empty if all are. */
  readonly found: string;
  readonly placeholder: string;
}) => (
  <div className={style.tools}>
    <Small>
      <span aria-live="polite">{found}</span>
    </Small>
    <TextInput
      size="xs"
      value={typed}
      onChange={(event) => onType(event.currentTarget.value)}
      placeholder={placeholder}
      aria-label="Filter devices"
    />
  </div>
);

const Head = ({
  columns,
  sorting,
  onSort,
}: {
  readonly columns: readonly DeviceColumn[];
  readonly sorting: Sorting;
  readonly onSort: (next: Sorting) => void;
}) => (
  <thead>
    <tr>
      {columns.map(({ key, title, num, sort }) => (
        <th
          key={key}
          data-column={key}
          {...(num === true ? { "data-num": true } : {})}
          {...(sorting.by === key
            ? { "aria-sort": sorting.down ? ("descending" as const) : ("ascending" as const) }
            : {})}
        >
          {sort === undefined ? (
            title
          ) : (
            <button
              type="button"
              className={style.sort}
              onClick={() =>
                // the slowest devices are what one looks for first
                onSort({ by: sort, down: sorting.by === sort ? !sorting.down : sort === "lastRound" })
              }
            >
              {title}
              <span aria-hidden>{sorting.by !== sort ? "" : sorting.down ? "↓" : "↑"}</span>
            </button>
          )}
        </th>
      ))}
    </tr>
  </thead>
);
