import type { DeviceView, LiveDevice, LiveRound } from "#contract/views.ts";
import { shownProblemOf } from "#renderer/screens/board/shown-problem.ts";
import { type DeviceState, stateOf } from "#renderer/state/device-state.ts";
import { computeSecondsOf, profileText, STATE_WORDS } from "#renderer/ui/device-words.ts";
import { count, plural } from "#renderer/ui/format.ts";

/** A row of the fleet's table: a device, and how far it is in the round in progress if it was drawn. */
export interface FleetRow {
  readonly device: DeviceView;
  readonly state: DeviceState;
  readonly live: LiveDevice | undefined;
}

export const rowsOf = (devices: readonly DeviceView[], live: LiveRound | undefined): readonly FleetRow[] => {
  const drawn = new Map(live?.devices.map((device) => [device.device, device]));
  return devices.map((device) => {
    const mine = drawn.get(device.name);
    return { device, state: stateOf(device, mine), live: mine };
  });
};

const KIND_COUNTS: readonly (readonly [DeviceView["kind"], (n: number) => string])[] = [
  ["board", (n) => plural(n, "board")],
  ["virtual", (n) => `${count(n)} virtual`],
  ["external", (n) => `${count(n)} external`],
];

/** "12 devices · 10 virtual, 2 external · 4 busy" */
export const fleetSummary = (rows: readonly FleetRow[]): string => {
  const kinds = KIND_COUNTS.flatMap(([kind, text]) => {
    const n = rows.filter(({ device }) => device.kind === kind).length;
    return n === 0 ? [] : [text(n)];
  });
  const busy = rows.filter(({ state }) => state === "busy").length;
  return `${plural(rows.length, "device")} · ${kinds.join(", ")} · ${busy === 0 ? "none" : count(busy)} busy`;
};

/** The line under a device's name: a board's address, a virtual device's profile. */
export const underName = ({ board, profile, kind, address }: DeviceView): string => {
  if (board !== undefined) return board.address;
  if (profile !== undefined) return profileText(profile);
  return kind === "virtual" ? "ungrouped" : (address ?? "");
};

/** The kind of a device; a board says its model. */
export const kindText = (device: DeviceView): string =>
  device.kind === "board" ? (device.board?.model ?? "board") : device.kind;

/** The Docker image that a board's client runs in, or why it has none. */
export const imageText = ({ board }: DeviceView): string => {
  switch (board?.setup) {
    case undefined:
      return "";
    case "ready":
      return board?.image ?? "ready";
    case "running":
      return "setting up";
    case "needed":
      return "not set up";
    case "unsupported":
      return "not supported";
    default:
      return "unknown";
  }
};

/** "now", an ISO time, or undefined if the lab has never seen it. */
export const lastSeenOf = (device: DeviceView, state: DeviceState): string | undefined => {
  const { board } = device;
  if (board === undefined) return state === "offline" || state === "idle" ? device.lastSeen : "now";
  if (board.state === "online") return "now";
  const times = [device.lastSeen, board.telemetry?.at].filter((time) => time !== undefined);
  return times.toSorted().at(-1);
};

/** Can it be deleted from the list? A group's devices are removed with the group, a board on its own page. */
export const canDelete = ({ group, kind, connected }: DeviceView): boolean =>
  group === undefined && kind !== "board" && !connected;

/** Does the row contain every word that the person typed? */
export const matchesFilter = ({ device, state }: FleetRow, typed: string): boolean => {
  const text = [
    device.name,
    device.kind,
    device.group ?? "",
    underName(device),
    STATE_WORDS[state],
    kindText(device),
    imageText(device),
    device.board === undefined ? "" : (shownProblemOf(device.board)?.title ?? ""),
    device.lastUpdate?.studyName ?? "",
  ];
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.some((part) => part.toLowerCase().includes(word)));
};

/** A person has to act before these can take part. */
const NEED_ATTENTION: ReadonlySet<DeviceState> = new Set([
  "needs-you",
  "ended",
  "needs-setup",
  "unsupported",
]);

/** What one click narrows the table to. */
export const STATE_FILTERS = {
  busy: { word: "busy", has: (state: DeviceState) => state === "busy" || state === "waiting" },
  ready: {
    word: "ready",
    has: (state: DeviceState) => state === "ready" || state === "connected" || state === "idle",
  },
  attention: { word: "need attention", has: (state: DeviceState) => NEED_ATTENTION.has(state) },
  preparing: {
    word: "setting up",
    has: (state: DeviceState) => state === "setting-up" || state === "launching",
  },
  away: {
    word: "not connected",
    has: (state: DeviceState) => state === "offline" || state === "silent" || state === "connecting",
  },
} as const;
export type StateFilterKey = keyof typeof STATE_FILTERS;

export type SortKey = "device" | "kind" | "state" | "image" | "lastRound" | "lastSeen";
export interface Sorting {
  readonly by: SortKey;
  readonly down: boolean;
}

/** First the devices that do something, then those that need something. */
const STATE_ORDER: readonly DeviceState[] = [
  "busy",
  "waiting",
  "launching",
  "connected",
  "ready",
  "idle",
  "setting-up",
  "needs-you",
  "ended",
  "silent",
  "offline",
  "connecting",
  "needs-setup",
  "unsupported",
];
const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;

const COMPARE: Readonly<Record<SortKey, (a: FleetRow, b: FleetRow) => number>> = {
  device: () => 0,
  kind: (a, b) => natural(kindText(a.device), kindText(b.device)),
  state: (a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state),
  image: (a, b) => natural(imageText(a.device), imageText(b.device)),
  lastRound: (a, b) => secondsOfLast(a) - secondsOfLast(b),
  lastSeen: (a, b) => timeSeen(b) - timeSeen(a),
};

const secondsOfLast = ({ device }: FleetRow): number =>
  device.lastUpdate === undefined ? -1 : (computeSecondsOf(device.lastUpdate) ?? -1);
const timeSeen = ({ device, state }: FleetRow): number => {
  const seen = lastSeenOf(device, state);
  return seen === "now" ? Number.POSITIVE_INFINITY : seen === undefined ? 0 : Date.parse(seen);
};

/** Rows that compare equal stay in the order of their names. */
export const sortedRows = (rows: readonly FleetRow[], { by, down }: Sorting): readonly FleetRow[] => {
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const names = natural(a.device.name, b.device.name);
    if (by === "device") return sign * names;
    const difference = COMPARE[by](a, b);
    // two connected devices were both seen at infinity
    return Number.isNaN(difference) || difference === 0 ? names : sign * difference;
  });
};
