import stringWidth from "string-width";
import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { LabEvent, RoundSummary } from "#contract/events.ts";
import { noteTexts } from "#contract/round-notes.ts";
import type { LiveDevice } from "#contract/views.ts";
import { fitText, padText } from "./fit-text.ts";
import { type StudyProgress, secondsLeft } from "./study-progress.ts";

/** 95 → "1 min 35 s". */
export const durationText = (seconds: number): string => {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
};

const fixed = (value: number | null, digits: number): string =>
  value === null ? "–" : value.toFixed(digits);

/** One line for a finished round. */
export const roundLine = (p: StudyProgress, result: RoundSummary): string => {
  const left = secondsLeft(p);
  const parts = [
    `[${p.runIndex}/${p.runs}] ${titleOfAlgorithm(p.algorithm)}, trial ${p.trial}`,
    result.round === 0 ? "before training" : `round ${result.round}/${p.rounds}`,
    ...Object.entries(result.metrics).map(([id, value]) => `${id} ${fixed(value, 4)}`),
    ...(result.round === 0 ? [] : [`${result.clients.length} of ${result.drawn.length} devices`]),
    ...noteTexts(result),
    `${result.seconds.toFixed(1)} s`,
    ...(left === undefined ? [] : [left === 0 ? "" : `about ${durationText(left)} left`]),
  ];
  return parts.filter((text) => text !== "").join(" · ");
};

/** What has been waited for, for how long, and what a person can do; undefined where nothing is awaited. */
export const waitingText = ({ live, at, stopping }: StudyProgress): string | undefined => {
  if (live?.waiting === undefined) return undefined;
  const { for: awaited, since, next } = live.waiting;
  const seconds = Math.max(0, Date.parse(at) - Date.parse(since)) / 1000;
  const advice = stopping
    ? "Stopping after this round; press Ctrl-C again to stop now."
    : `${next} Press Ctrl-C to stop after this round.`;
  return `waiting for ${awaited} (${seconds.toFixed(0)} s). ${advice}`;
};

/** Of a device in the round in progress. */
type Phase = LiveDevice["phase"] | "away";

const PHASE_TEXT: Record<Phase, string> = {
  training: "training",
  uploading: "sending its update",
  failed: "failed",
  refused: "update refused",
  away: "disconnected, may rejoin",
  late: "too late",
  sent: "weights received",
  drawn: "receiving weights",
  folded: "done",
};

/** Busy devices come first, those that have not started next, those that are done last. */
const ORDER = Object.keys(PHASE_TEXT) as readonly Phase[];

const ENDED: readonly Phase[] = ["folded", "refused", "failed", "late"];

const WIDEST_NAME = 24;

const bar = (fraction: number, width: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
};

/** The block that is redrawn in place at the bottom of a terminal: at most `maxLines` lines. */
export const liveBlock = (p: StudyProgress, columns: number, maxLines: number): string[] => {
  const left = secondsLeft(p);
  const head = `[${p.runIndex}/${p.runs}] ${titleOfAlgorithm(p.algorithm)}, trial ${p.trial}: ${stateText(p)}`;
  const waiting = waitingText(p);
  const lines = [
    left === undefined ? head : `${head}, about ${durationText(left)} left`,
    ...deviceLines(p, Math.max(1, maxLines - 2)),
    ...(waiting === undefined ? [] : [`  ${waiting}`]),
  ];
  return lines.map((line) => fitText(line, Math.max(2, columns - 1)));
};

const stateText = ({ live, lastRound, fromRound, rounds }: StudyProgress): string => {
  if (live !== undefined) {
    const done = live.devices.filter(({ phase }) => phase === "folded").length;
    const devices = live.devices.length === 0 ? "" : `, ${done} of ${live.devices.length} devices done`;
    return `round ${live.round}/${rounds}${devices}`;
  }
  if (lastRound === undefined && fromRound <= 1) return "evaluating the initial weights";
  return `starting round ${Math.min(rounds, (lastRound?.round ?? fromRound - 1) + 1)}/${rounds}`;
};

const deviceLines = ({ live, away }: StudyProgress, room: number): string[] => {
  const devices = (live?.devices ?? []).map(({ device, phase, fraction = 0 }) => {
    if (away.has(device)) return { device, phase: "away" as const, fraction: 0 };
    return { device, phase, fraction: ENDED.includes(phase) ? 1 : fraction };
  });
  const order = devices.toSorted((a, b) => ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase));
  const shown = order.slice(0, order.length > room ? room - 1 : room);
  const names = shown.map(({ device }) => fitText(device, WIDEST_NAME));
  const width = Math.max(8, ...names.map((name) => stringWidth(name)));
  return [
    ...shown.map(
      ({ phase, fraction }, i) => `  ${padText(names[i]!, width)} ${bar(fraction, 16)} ${PHASE_TEXT[phase]}`,
    ),
    ...(order.length > shown.length ? [`  and ${order.length - shown.length} more`] : []),
  ];
};

/** Lines worth printing besides the rounds: failures, refusals, devices that come and go. */
export const noteLines = (event: LabEvent): string[] => {
  switch (event.kind) {
    case "client-update": {
      const f = event.update.failure;
      if (!f) return [];
      return [`  ${event.update.device}: ${f.cause} (round ${event.round})${f.next ? `. ${f.next}` : ""}`];
    }
    case "device-refused":
      return [
        `  refused ${event.address}: ${event.failure.cause}${event.failure.next ? `. ${event.failure.next}` : ""}`,
      ];
    case "metric-refused":
      return [`  ${event.device}: its metric ${event.name} is not recorded: ${event.cause}`];
    case "run-ended":
      return event.status === "done" && event.reason.startsWith("all ")
        ? []
        : [`  run ${event.status}: ${event.reason}`];
    case "board-state":
      if (event.problem === undefined) return [`  ${event.device} is ${event.state}`];
      return [
        `  ${event.device} is ${event.state}. ${event.problem.title}: ${event.problem.cause} ${event.problem.next}`,
      ];
    case "board-client": {
      if (event.state === "launched") return [`  ${event.device}: client started`];
      const { problem } = event;
      if (problem === undefined) return [];
      return [`  ${event.device}: ${problem.title}. ${problem.cause} ${problem.next}`];
    }
    default:
      return [];
  }
};
