import type { VirtualGroup } from "#contract/fleet.ts";
import type { DeviceUpdate, LiveDevice } from "#contract/views.ts";
import type { DeviceState } from "#renderer/state/device-state.ts";
import { percent } from "./format.ts";

/** What the page says of any device, whatever its kind. */

export const STATE_WORDS: Readonly<Record<DeviceState, string>> = {
  busy: "busy",
  waiting: "waiting",
  connected: "connected",
  offline: "offline",
  idle: "idle",
  ready: "ready",
  launching: "starting client",
  ended: "client exited",
  "setting-up": "setting up",
  "needs-setup": "needs setup",
  unsupported: "not supported",
  connecting: "connecting",
  silent: "not responding",
  "needs-you": "needs attention",
};

export const UPDATE_WORDS: Readonly<Record<DeviceUpdate["status"], string>> = {
  folded: "aggregated",
  refused: "refused",
  failed: "failed",
  late: "late",
};

/** What it does in the round in progress, or why it failed there. */
export const workText = ({ phase, failure }: LiveDevice): string => {
  switch (phase) {
    case "drawn":
      return "receiving the weights";
    case "sent":
      return "starting to train";
    case "training":
      return "training";
    case "uploading":
      return "uploading its update";
    case "folded":
      return "done";
    default:
      return failure?.cause ?? UPDATE_WORDS[phase];
  }
};

/** "3× slower · drop-out 5% · crash 1%", the last two per round */
export const profileText = (profile: Pick<VirtualGroup, "slowness" | "dropOut" | "crash">): string => {
  const parts = [
    profile.slowness === 1 ? "full speed" : `${profile.slowness}× slower`,
    ...(profile.dropOut > 0 ? [`drop-out ${shareText(profile.dropOut)}`] : []),
    ...(profile.crash > 0 ? [`crash ${shareText(profile.crash)}`] : []),
  ];
  return parts.join(" · ");
};

const shareText = (value: number): string =>
  percent(value, Number.isInteger(Math.round(value * 1e6) / 1e4) ? 0 : 1);

/** Why a device has left, for people who do not know how the server tells a client to go. */
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

/** Seconds that the device computed in the round; undefined where it did not say. */
export const computeSecondsOf = ({ timing }: Pick<DeviceUpdate, "timing">): number | undefined =>
  timing.computeMs === undefined ? undefined : timing.computeMs / 1000;
