import type { ClientUpdate } from "#contract/events.ts";
import type { LiveDevice, LiveRound } from "#contract/views.ts";
import { UPDATE_WORDS, workText } from "#renderer/ui/device-words.ts";
import { duration, percent } from "#renderer/ui/format.ts";

/** How one device spent a round: parts as shares of the lane's whole length. */
export interface Lane {
  readonly device: string;
  readonly parts: readonly {
    readonly part: "download" | "compute" | "upload" | "wait" | "failed";
    readonly from: number;
    readonly to: number;
  }[];
  readonly text: string;
  readonly bad: boolean;
}

/**
 * Lanes of the round in progress; they grow with `now` (milliseconds of Date.now()).
 * @param usualMs how long rounds take here: the lane's whole length, until the round takes longer
 */
export const liveLanes = (live: LiveRound, now: number, usualMs = 0): readonly Lane[] => {
  const elapsed = Math.max(1, now - Date.parse(live.startedAt));
  const whole = Math.max(elapsed, usualMs);
  return live.devices.map((device) => laneOf(device, elapsed, whole));
};

const laneOf = (device: LiveDevice, elapsed: number, whole: number): Lane => {
  const end = device.endedMs ?? elapsed;
  const sent = device.sentMs ?? end;
  const uploading = device.uploadingMs ?? (device.phase === "uploading" ? elapsed : end);
  const failed = device.phase === "failed" || device.phase === "refused" || device.phase === "late";
  const share = (ms: number) => Math.min(1, Math.max(0, ms / whole));
  const parts: Lane["parts"][number][] = [{ part: "download", from: 0, to: share(sent) }];
  if (device.sentMs !== undefined) parts.push({ part: "compute", from: share(sent), to: share(uploading) });
  if (device.uploadingMs !== undefined)
    parts.push({ part: "upload", from: share(uploading), to: share(end) });
  if (device.endedMs !== undefined)
    parts.push({ part: failed ? "failed" : "wait", from: share(end), to: share(elapsed) });
  return { device: device.device, parts, text: textOf(device), bad: failed };
};

const textOf = (device: LiveDevice): string => {
  if (device.phase === "training") return `training · ${percent(device.fraction ?? 0, 0)}`;
  if (device.phase === "folded") return `done after ${duration((device.endedMs ?? 0) / 1000)}`;
  return workText(device);
};

/** Lanes of a recorded round. */
export const recordedLanes = (updates: readonly ClientUpdate[]): readonly Lane[] => {
  const lengths = updates.map(
    ({ timing: t }) => (t.downloadMs ?? 0) + (t.computeMs ?? 0) + (t.uploadMs ?? 0) + (t.waitMs ?? 0),
  );
  const longest = Math.max(1, ...lengths);
  return updates.map((update) => {
    const { downloadMs = 0, computeMs = 0, uploadMs = 0, waitMs = 0 } = update.timing;
    let at = 0;
    const part = (name: Lane["parts"][number]["part"], ms: number) => {
      const from = at / longest;
      at += ms;
      return { part: name, from, to: at / longest };
    };
    const bad = update.status !== "folded";
    const parts = [
      part("download", downloadMs),
      part("compute", computeMs),
      part("upload", uploadMs),
      bad ? part("failed", Math.max(0, longest - at)) : part("wait", waitMs),
    ];
    const text = bad
      ? (update.failure?.cause ?? UPDATE_WORDS[update.status])
      : `compute ${duration(computeMs / 1000)} · wait ${duration(waitMs / 1000)}`;
    return { device: update.device, parts, text, bad };
  });
};
