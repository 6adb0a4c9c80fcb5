import type { LabEvent } from "./events.ts";
import type { LiveDevice, LiveRound } from "./views.ts";

/**
 * The round in progress, built from the events of one study: by the lab for a page that opens, from there on by the
 * page. Events of other runs leave it as it is.
 *
 * @returns undefined when no round is in progress after the event
 */
export const applyToLiveRound = (live: LiveRound | undefined, event: LabEvent): LiveRound | undefined => {
  switch (event.kind) {
    case "round-started":
      return {
        run: event.run,
        round: event.round,
        startedAt: event.at,
        devices: event.drawn.map((device) => ({ device, phase: "drawn" })),
      };
    case "client-progress":
    case "client-update":
      if (live?.run !== event.run || live.round !== event.round) return live;
      return withDevice(live, event);
    case "waiting": {
      const { stage, next } = event;
      const since = new Date(Date.parse(event.at) - event.sinceMs).toISOString();
      const waiting = { stage, for: event.for, since, next };
      if (live?.run === event.run && live.round === event.round) return { ...live, waiting };
      // the round waits for devices before it starts
      return { run: event.run, round: event.round, startedAt: since, devices: [], waiting };
    }
    case "round-ended":
    case "run-ended":
      return live?.run === event.run ? undefined : live;
    case "study-ended":
      return undefined;
    default:
      return live;
  }
};

const withDevice = (
  live: LiveRound,
  event: LabEvent & { kind: "client-progress" | "client-update" },
): LiveRound => {
  const name = event.kind === "client-progress" ? event.device : event.update.device;
  const at = Math.max(0, Date.parse(event.at) - Date.parse(live.startedAt));
  const before = live.devices.find(({ device }) => device === name) ?? { device: name, phase: "drawn" };
  const after =
    event.kind === "client-progress" ? progressed(before, event, at) : answered(before, event, at);
  const known = live.devices.includes(before);
  const { waiting, ...rest } = live;
  return {
    ...rest,
    // a device answered: the next waiting event says which ones are still missing
    ...(waiting === undefined || event.kind === "client-update" ? {} : { waiting }),
    devices: known ? live.devices.map((d) => (d === before ? after : d)) : [...live.devices, after],
  };
};

const ENDED: readonly LiveDevice["phase"][] = ["folded", "refused", "failed", "late"];

const progressed = (
  before: LiveDevice,
  { phase, fraction }: LabEvent & { kind: "client-progress" },
  at: number,
): LiveDevice => {
  // Progress of the training travels another way than the update: it may come after it.
  if (ENDED.includes(before.phase) || (before.phase === "uploading" && phase !== "uploading")) return before;
  return {
    ...before,
    phase,
    ...(fraction === undefined ? {} : { fraction }),
    ...(phase === "sent" ? { sentMs: before.sentMs ?? at } : {}),
    ...(phase === "training" ? { trainingMs: before.trainingMs ?? at } : {}),
    ...(phase === "uploading" ? { uploadingMs: before.uploadingMs ?? at } : {}),
  };
};

const answered = (
  before: LiveDevice,
  { update }: LabEvent & { kind: "client-update" },
  at: number,
): LiveDevice => ({
  ...before,
  phase: update.status,
  endedMs: at,
  ...(update.failure === undefined ? {} : { failure: update.failure }),
});
