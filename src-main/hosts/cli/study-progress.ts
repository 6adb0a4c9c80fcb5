import type { LabEvent, RoundSummary } from "#contract/events.ts";
import { applyToLiveRound } from "#contract/live-round.ts";
import type { LiveRound } from "#contract/views.ts";

/** What a person at a terminal wants to know of a study, kept up to date by the event stream. */
export interface StudyProgress {
  readonly name: string;
  readonly runs: number;
  readonly runsDone: number;
  /** Position of the current run among all, from 1. */
  readonly runIndex: number;
  readonly algorithm: string;
  readonly trial: number;
  readonly rounds: number;
  /** The first round of this run in this process: later than 1 after a resume. */
  readonly fromRound: number;
  /** The round in progress. A finished one stays until the next begins, so that the screen does not jump. */
  readonly live: LiveRound | undefined;
  /** Devices of that round that have disconnected. */
  readonly away: ReadonlySet<string>;
  /** Seconds of every finished round of this process. */
  readonly roundSeconds: readonly number[];
  readonly lastRound: RoundSummary | undefined;
  /** Time of the latest event. */
  readonly at: string;
  /** The study has ended: devices that leave now were told to. */
  readonly over: boolean;
  /** The study stops after the round in progress. */
  readonly stopping: boolean;
}

export const startProgress = (input: { name: string; runs: number; runsDone: number }): StudyProgress => ({
  ...input,
  runIndex: input.runsDone,
  algorithm: "",
  trial: 0,
  rounds: 0,
  fromRound: 1,
  live: undefined,
  away: new Set(),
  roundSeconds: [],
  lastRound: undefined,
  at: "",
  over: false,
  stopping: false,
});

/** The state after an event. Pure. */
export const advance = (before: StudyProgress, event: LabEvent): StudyProgress => {
  const p: StudyProgress = {
    ...before,
    at: event.at,
    live: liveAfter(before.live, event),
    away: awayAfter(before, event),
  };
  switch (event.kind) {
    case "run-started":
      return {
        ...p,
        runIndex: p.runIndex + 1,
        algorithm: event.algorithm,
        trial: event.trial,
        rounds: event.rounds,
        fromRound: event.fromRound,
        lastRound: undefined,
      };
    case "run-ended":
      return { ...p, runsDone: p.runsDone + (event.status === "interrupted" ? 0 : 1) };
    case "round-ended":
      return {
        ...p,
        lastRound: event.result,
        roundSeconds: event.result.round === 0 ? p.roundSeconds : [...p.roundSeconds, event.result.seconds],
      };
    case "study-ended":
      return { ...p, over: true };
    default:
      return p;
  }
};

const liveAfter = (live: LiveRound | undefined, event: LabEvent): LiveRound | undefined => {
  if (event.kind !== "round-ended" || live === undefined) return applyToLiveRound(live, event);
  const { waiting: _, ...ended } = live;
  return ended;
};

/** A device that disconnected is away until it is heard of again in this round. */
const awayAfter = ({ live, away }: StudyProgress, event: LabEvent): ReadonlySet<string> => {
  switch (event.kind) {
    case "round-started":
      return new Set();
    case "device-left":
      return live?.devices.some(({ device }) => device === event.device)
        ? new Set(away).add(event.device)
        : away;
    case "client-progress":
    case "client-update": {
      const device = event.kind === "client-progress" ? event.device : event.update.device;
      if (live?.run !== event.run || live.round !== event.round || !away.has(device)) return away;
      return new Set([...away].filter((name) => name !== device));
    }
    default:
      return away;
  }
};

/** Seconds until the study is done, from the mean of the last ten rounds; undefined before the first. */
export const secondsLeft = (p: StudyProgress): number | undefined => {
  const recent = p.roundSeconds.slice(-10);
  if (recent.length === 0) return undefined;
  const mean = recent.reduce((a, b) => a + b, 0) / recent.length;
  const doneInRun = p.lastRound?.round ?? p.fromRound - 1;
  const left = Math.max(0, p.rounds - doneInRun) + Math.max(0, p.runs - p.runIndex) * p.rounds;
  return mean * left;
};
