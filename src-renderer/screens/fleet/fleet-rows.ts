import type { VirtualGroup } from "#contract/study.ts";
import type { DeviceUpdate, DeviceView, LiveDevice, LiveRound } from "#contract/views.ts";
import { count, percent, plural } from "#renderer/ui/format.ts";

export type DeviceState = "work" | "waiting" | "connected" | "offline";

export interface FleetRow {
  readonly device: DeviceView;
  readonly state: DeviceState;
  /** How far it is in the round in progress, if it was drawn. */
  readonly live: LiveDevice | undefined;
}

export type SortKey = "device" | "kind" | "state" | "lastRound" | "lastSeen";
export interface Sorting {
  readonly by: SortKey;
  readonly down: boolean;
}

export const STATE_WORDS: Readonly<Record<DeviceState, string>> = {
  work: "at work",
  waiting: "waiting",
  connected: "connected",
  offline: "offline",
};

/** Who has answered waits for the others until the round ends. */
export const stateOf = (device: DeviceView, live: LiveDevice | undefined): DeviceState => {
  if (live !== undefined) {
    if (live.endedMs === undefined && !isOver(live.phase)) return "work";
    if (live.phase === "folded") return "waiting";
  }
  return device.connected ? "connected" : "offline";
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
  const external = rows.length - virtual;
  const atWork = rows.filter(({ state }) => state === "work").length;
  const kinds = [
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
  device.profile !== undefined
    ? profileText(device.profile)
    : device.kind === "virtual"
      ? "of no group"
      : (device.address ?? "");

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
    device.lastUpdate?.studyName ?? "",
  ];
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.some((part) => part.toLowerCase().includes(word)));
};

const ORDER: readonly DeviceState[] = ["work", "waiting", "connected", "offline"];
const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;

const compare: Readonly<Record<SortKey, (a: FleetRow, b: FleetRow) => number>> = {
  device: () => 0,
  kind: (a, b) => natural(a.device.kind, b.device.kind),
  state: (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state),
  lastRound: (a, b) => lengthOf(a) - lengthOf(b),
  lastSeen: (a, b) => seenOf(b) - seenOf(a),
};

const lengthOf = ({ device }: FleetRow): number =>
  device.lastUpdate === undefined ? -1 : (secondsOf(device.lastUpdate) ?? -1);
const seenOf = ({ device, state }: FleetRow): number =>
  state !== "offline"
    ? Number.POSITIVE_INFINITY
    : device.lastSeen === undefined
      ? 0
      : Date.parse(device.lastSeen);

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
