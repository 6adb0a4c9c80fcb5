import type { BoardSummary } from "#contract/boards.ts";
import type { VirtualGroup } from "#contract/fleet.ts";
import type { DeviceUpdate, DeviceView, LiveDevice, LiveRound } from "#contract/views.ts";
import { problemOf } from "#renderer/screens/board/board-words.ts";
import { count, percent, plural } from "#renderer/ui/format.ts";

export type DeviceState =
  | "work"
  | "waiting"
  | "connected"
  | "offline"
  // of boards only
  | "ready"
  | "launching"
  | "ended"
  | "setting-up"
  | "needs-setup"
  | "unsupported"
  | "connecting"
  | "silent"
  | "needs-you";

export interface FleetRow {
  readonly device: DeviceView;
  readonly state: DeviceState;
  /** How far it is in the round in progress, if it was drawn. */
  readonly live: LiveDevice | undefined;
}

export type SortKey = "device" | "kind" | "state" | "image" | "lastRound" | "lastSeen";
export interface Sorting {
  readonly by: SortKey;
  readonly down: boolean;
}

export const STATE_WORDS: Readonly<Record<DeviceState, string>> = {
  work: "at work",
  waiting: "waiting",
  connected: "connected",
  offline: "offline",
  ready: "ready",
  launching: "starting its client",
  ended: "client ended",
  "setting-up": "setting up",
  "needs-setup": "needs set-up",
  unsupported: "not supported",
  connecting: "connecting",
  silent: "silent",
  "needs-you": "needs you",
};

/** Who has answered waits for the others until the round ends. */
export const stateOf = (device: DeviceView, live: LiveDevice | undefined): DeviceState => {
  if (live !== undefined) {
    if (live.endedMs === undefined && !isOver(live.phase)) return "work";
    if (live.phase === "folded") return "waiting";
  }
  if (device.board !== undefined) return boardStateOf(device.board, device.connected);
  return device.connected ? "connected" : "offline";
};

/** @param connected its client is connected to the server */
export const boardStateOf = (board: BoardSummary, connected: boolean): DeviceState => {
  if (board.state === "locked") return "needs-you";
  if (board.state !== "online") return board.state;
  if (board.setup === "running") return "setting-up";
  if (board.setup === "unsupported") return "unsupported";
  if (board.setup === "needed") return "needs-setup";
  const { client } = board;
  if (client?.state === "exited" || client?.state === "waiting") return "ended";
  if (client?.state === "launching") return "launching";
  return connected ? "connected" : "ready";
};

const isOver = (phase: LiveDevice["phase"]): boolean =>
  phase === "folded" || phase === "refused" || phase === "failed" || phase === "late";

export const rowsOf = (devices: readonly DeviceView[], live: LiveRound | undefined): readonly FleetRow[] => {
  const drawn = new Map(live?.devices.map((device) => [device.device, device]));
  return devices.map((device) => {
    const mine = drawn.get(device.name);
    return { device, state: stateOf(device, mine), live: mine };
  });
};

/** "12 devices · 10 virtual, 2 external · 4 at work" */
export const summaryOf = (rows: readonly FleetRow[]): string => {
  const virtual = rows.filter(({ device }) => device.kind === "virtual").length;
  const boards = rows.filter(({ device }) => device.kind === "board").length;
  const external = rows.length - virtual - boards;
  const atWork = rows.filter(({ state }) => state === "work").length;
  const kinds = [
    ...(boards > 0 ? [plural(boards, "board")] : []),
    ...(virtual > 0 ? [`${count(virtual)} virtual`] : []),
    ...(external > 0 ? [`${count(external)} external`] : []),
  ].join(", ");
  return `${plural(rows.length, "device")} · ${kinds} · ${atWork === 0 ? "none" : count(atWork)} at work`;
};

/** "3× slower · drop-out 5% · crash 1%", the last two per round */
export const profileText = (profile: Pick<VirtualGroup, "slowness" | "dropOut" | "crash">): string => {
  const parts = [
    profile.slowness === 1 ? "full speed" : `${profile.slowness}× slower`,
    ...(profile.dropOut > 0 ? [`drop-out ${share(profile.dropOut)}`] : []),
    ...(profile.crash > 0 ? [`crash ${share(profile.crash)}`] : []),
  ];
  return parts.join(" · ");
};

const share = (value: number): string =>
  percent(value, Number.isInteger(Math.round(value * 1e6) / 1e4) ? 0 : 1);

/** Why a device has left, in words for who does not know how clients are told to go. */
export const leftText = (reason: string): string => {
  switch (reason) {
    case "sent away":
    case "left when it was sent away":
      return "the study ended";
    case "sent away before it answered":
      return "the study ended before it answered";
    default:
      return reason;
  }
};

/** What stands under a device's name. */
export const underName = (device: DeviceView): string =>
  device.board !== undefined
    ? device.board.address
    : device.profile !== undefined
      ? profileText(device.profile)
      : device.kind === "virtual"
        ? "of no group"
        : (device.address ?? "");

/** What kind of thing a device is: a board says its model. */
export const kindText = (device: DeviceView): string =>
  device.kind === "board" ? (device.board?.model ?? "board") : device.kind;

/** What a board has to run, or why it has nothing yet. */
export const setupText = ({ board }: DeviceView): string => {
  switch (board?.setup) {
    case undefined:
      return "";
    case "ready":
      return board?.image ?? "ready";
    case "running":
      return "being set up";
    case "needed":
      return "not set up";
    case "unsupported":
      return "none";
    default:
      return "not known yet";
  }
};

export const workText = (live: LiveDevice): string => {
  switch (live.phase) {
    case "drawn":
      return "gets the weights";
    case "sent":
      return "begins to train";
    case "training":
      return "trains";
    case "uploading":
      return "sends its update";
    case "folded":
      return "done";
    default:
      return live.failure?.cause ?? live.phase;
  }
};

/** "6.2 s": how long the device computed, or, where that is unknown, was away. */
export const secondsOf = ({ timing }: DeviceUpdate): number | undefined =>
  timing.computeMs === undefined ? undefined : timing.computeMs / 1000;

export const matches = ({ device, state }: FleetRow, wanted: string): boolean => {
  const text = [
    device.name,
    device.kind,
    device.group ?? "",
    underName(device),
    STATE_WORDS[state],
    kindText(device),
    setupText(device),
    device.board === undefined ? "" : (problemOf(device.board)?.title ?? ""),
    device.lastUpdate?.studyName ?? "",
  ];
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.some((part) => part.toLowerCase().includes(word)));
};

/** First those where something is done, then where something has to be done. */
const ORDER: readonly DeviceState[] = [
  "work",
  "waiting",
  "launching",
  "connected",
  "ready",
  "setting-up",
  "needs-you",
  "ended",
  "silent",
  "offline",
  "connecting",
  "needs-setup",
  "unsupported",
];
/** A person has to do something before they can take part. */
export const NEEDS_A_PERSON: ReadonlySet<DeviceState> = new Set([
  "needs-you",
  "ended",
  "needs-setup",
  "unsupported",
]);
/** What the fleet can be narrowed to with one click. */
export const NARROWED = {
  work: { word: "at work", has: (state: DeviceState) => state === "work" || state === "waiting" },
  ready: { word: "ready", has: (state: DeviceState) => state === "ready" || state === "connected" },
  attention: { word: "need you", has: (state: DeviceState) => NEEDS_A_PERSON.has(state) },
  busy: {
    word: "being set up",
    has: (state: DeviceState) => state === "setting-up" || state === "launching",
  },
  away: {
    word: "away",
    has: (state: DeviceState) => state === "offline" || state === "silent" || state === "connecting",
  },
} as const;
export type Narrowed = keyof typeof NARROWED;
const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;

const compare: Readonly<Record<SortKey, (a: FleetRow, b: FleetRow) => number>> = {
  device: () => 0,
  kind: (a, b) => natural(kindText(a.device), kindText(b.device)),
  state: (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state),
  image: (a, b) => natural(setupText(a.device), setupText(b.device)),
  lastRound: (a, b) => lengthOf(a) - lengthOf(b),
  lastSeen: (a, b) => seenOf(b) - seenOf(a),
};

const lengthOf = ({ device }: FleetRow): number =>
  device.lastUpdate === undefined ? -1 : (secondsOf(device.lastUpdate) ?? -1);
const seenOf = ({ device, state }: FleetRow): number => {
  const seen = lastSeenOf(device, state);
  return seen === "now" ? Number.POSITIVE_INFINITY : seen === undefined ? 0 : Date.parse(seen);
};

/** "now", an ISO time, or undefined where it was never there. */
export const lastSeenOf = (device: DeviceView, state: DeviceState): string | undefined => {
  if (device.board === undefined) return state === "offline" ? device.lastSeen : "now";
  const { board } = device;
  if (board.state === "online") return "now";
  const times = [device.lastSeen, board.telemetry?.at].filter((time) => time !== undefined);
  return times.toSorted().at(-1);
};

/** Rows that are equal keep the order of their names. */
export const sorted = (rows: readonly FleetRow[], { by, down }: Sorting): readonly FleetRow[] => {
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    const names = natural(a.device.name, b.device.name);
    if (by === "device") return sign * names;
    const difference = compare[by](a, b);
    // two that are connected are infinitely young both
    return Number.isNaN(difference) || difference === 0 ? names : sign * difference;
  });
};
