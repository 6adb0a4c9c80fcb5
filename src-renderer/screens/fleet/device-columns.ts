import type { SortKey } from "./fleet-rows.ts";

export interface DeviceColumn {
  readonly key: SortKey | "work" | "temperature" | "memory";
  readonly title: string;
  /** Holds numbers, which are aligned right. */
  readonly num?: true;
  /** Undefined: the table cannot be sorted by it. */
  readonly sort?: SortKey;
}

/** Columns of a fleet without boards. */
export const DEVICE_COLUMNS: readonly DeviceColumn[] = [
  { key: "device", title: "Device", sort: "device" },
  { key: "kind", title: "Kind", sort: "kind" },
  { key: "state", title: "State", sort: "state" },
  { key: "work", title: "Current work" },
  { key: "lastRound", title: "Last round", sort: "lastRound" },
  { key: "lastSeen", title: "Last seen", sort: "lastSeen" },
];

/** Columns of a fleet with boards; a device that is no board leaves some of them empty. */
export const BOARD_COLUMNS: readonly DeviceColumn[] = [
  { key: "device", title: "Device", sort: "device" },
  { key: "kind", title: "Model", sort: "kind" },
  { key: "state", title: "State", sort: "state" },
  { key: "temperature", title: "Temp.", num: true },
  { key: "memory", title: "Memory", num: true },
  { key: "image", title: "Client image", sort: "image" },
  { key: "lastRound", title: "Last round", sort: "lastRound" },
  { key: "lastSeen", title: "Last seen", sort: "lastSeen" },
];
