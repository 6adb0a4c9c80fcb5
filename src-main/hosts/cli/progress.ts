import type { ClientUpdate, LabEvent, RoundSummary } from "#contract/events.ts";
import { assertNever } from "#contract/failure.ts";

interface DeviceLine {
  readonly phase:
    | "idle"
    | "sent"
    | "training"
    | "uploading"
    | "done"
    | "refused"
    | "failed"
    | "late"
    | "away";
  readonly fraction: number;
}

/** What a person at a terminal wants to know, kept up to date by the event stream. */
export interface Progress {
  readonly name: string;
  readonly runs: number;
  readonly runsDone: number;
  /** Position of the current run among all, from 1. */
  readonly runIndex: number;
  readonly run: string;
  readonly algorithm: string;
  readonly trial: number;
  readonly rounds: number;
  readonly round: number;
  readonly devices: ReadonlyMap<string, DeviceLine>;
  readonly waiting: string;
  /** Seconds of every finished round of this process. */
  readonly roundSeconds: readonly number[];
  readonly lastRound: RoundSummary | undefined;
  /** The study has ended: devices that leave now do so because they were told to. */
  readonly over: boolean;
  /** The study stops after the round in progress. */
  readonly stopping: boolean;
}

export const startProgress = (input: { name: string; runs: number; runsDone: number }): Progress => ({
  ...input,
  runIndex: input.runsDone,
  run: "",
  algorithm: "",
  trial: 0,
  rounds: 0,
  round: 0,
  devices: new Map(),
  waiting: "",
  roundSeconds: [],
  lastRound: undefined,
  over: false,
  stopping: false,
});

const withDevice = (p: Progress, device: string, line: DeviceLine): Progress => ({
  ...p,
  devices: new Map(p.devices).set(device, line),
});

const updatePhase = (update: ClientUpdate): DeviceLine["phase"] =>
  update.status === "folded" ? "done" : update.status;

/** A straggler still tells of the round in which it was drawn. */
const isOfThisRound = (p: Progress, event: { readonly run: string; readonly round: number }): boolean =>
  event.run === p.run && event.round === p.round;

/** Word of the training that comes after the answer is late by itself. */
const isOver = (line: DeviceLine | undefined): boolean =>
  line !== undefined && ["done", "refused", "failed", "late"].includes(line.phase);

const HOW_TO_STOP = "Ctrl-C stops it after this round.";
const STOPPING = "Stopping after this round; Ctrl-C again stops now.";

/** The state after an event. Pure. */
export const advance = (p: Progress, event: LabEvent): Progress => {
  switch (event.kind) {
    case "run-started":
      return {
        ...p,
        runIndex: p.runIndex + 1,
        run: event.run,
        algorithm: event.algorithm,
        trial: event.trial,
        rounds: event.rounds,
        round: event.fromRound - 1,
        waiting: "",
        lastRound: undefined,
      };
    case "run-ended":
      return { ...p, runsDone: p.runsDone + (event.status === "interrupted" ? 0 : 1), waiting: "" };
    case "round-started":
      return {
        ...p,
        round: event.round,
        waiting: "",
        devices: new Map(event.drawn.map((name) => [name, { phase: "idle", fraction: 0 }])),
      };
    case "client-progress":
      return isOfThisRound(p, event) && !isOver(p.devices.get(event.device))
        ? withDevice(p, event.device, { phase: event.phase, fraction: event.fraction ?? 0 })
        : p;
    case "client-update":
      return isOfThisRound(p, event)
        ? withDevice(p, event.update.device, { phase: updatePhase(event.update), fraction: 1 })
        : p;
    case "round-ended":
      return {
        ...p,
        waiting: "",
        lastRound: event.result,
        roundSeconds: event.result.round === 0 ? p.roundSeconds : [...p.roundSeconds, event.result.seconds],
      };
    case "waiting":
      return {
        ...p,
        waiting: `waiting ${(event.sinceMs / 1000).toFixed(0)} s for ${event.for}. ${p.stopping ? STOPPING : `${event.next} ${HOW_TO_STOP}`}`,
      };
    case "device-left":
      return p.devices.has(event.device) ? withDevice(p, event.device, { phase: "away", fraction: 0 }) : p;
    case "study-started":
    case "study-resumed":
    case "study-paused":
    case "study-continued":
    case "device-joined":
    case "device-refused":
    case "board-state":
    case "board-client":
    case "metric-refused":
      return p;
    case "study-ended":
      return { ...p, over: true };
    default:
      return assertNever(event);
  }
};

/** Seconds until the study is done, from the mean of the last rounds; undefined before the first. */
export const secondsLeft = (p: Progress): number | undefined => {
  const recent = p.roundSeconds.slice(-10);
  if (recent.length === 0) return undefined;
  const mean = recent.reduce((a, b) => a + b, 0) / recent.length;
  const doneInRun = p.lastRound?.round ?? p.round;
  const left = Math.max(0, p.rounds - doneInRun) + Math.max(0, p.runs - p.runIndex) * p.rounds;
  return mean * left;
};

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
export const roundLine = (p: Progress, result: RoundSummary): string => {
  const left = secondsLeft(p);
  const parts = [
    `[${p.runIndex}/${p.runs}] ${p.algorithm}, trial ${p.trial}`,
    result.round === 0 ? "before training" : `round ${result.round}/${p.rounds}`,
    ...Object.entries(result.metrics).map(([id, value]) => `${id} ${fixed(value, 4)}`),
    ...(result.round === 0 ? [] : [`${result.clients.length} of ${result.drawn.length} devices`]),
    `${result.seconds.toFixed(1)} s`,
    ...(left === undefined ? [] : [left === 0 ? "" : `about ${durationText(left)} left`]),
  ];
  return parts.filter((text) => text !== "").join(" · ");
};

const PHASE_TEXT: Record<DeviceLine["phase"], string> = {
  idle: "getting the weights",
  sent: "has the weights",
  training: "training",
  uploading: "sending its update",
  done: "done",
  refused: "refused",
  failed: "failed",
  late: "late",
  away: "away, may rejoin",
};

const bar = (fraction: number, width: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
};

/** The block that is redrawn in place at the bottom of a terminal: at most `maxLines` lines. */
export const liveBlock = (p: Progress, columns: number, maxLines: number): string[] => {
  const left = secondsLeft(p);
  const done = [...p.devices.values()].filter((d) => d.phase === "done").length;
  const head =
    p.round === 0
      ? `[${p.runIndex}/${p.runs}] ${p.algorithm}, trial ${p.trial}: evaluating the first weights`
      : `[${p.runIndex}/${p.runs}] ${p.algorithm}, trial ${p.trial}: round ${p.round}/${p.rounds}, ${done} of ${p.devices.size} devices done` +
        (left === undefined ? "" : `, about ${durationText(left)} left`);
  const lines = [head];
  const room = Math.max(1, maxLines - 2);
  const order = [...p.devices].sort(([, a], [, b]) => rank(a) - rank(b));
  const shown = order.slice(0, order.length > room ? room - 1 : room);
  const width = Math.max(8, ...shown.map(([name]) => Math.min(24, name.length)));
  for (const [name, device] of shown) {
    const label = name.length > width ? `${name.slice(0, width - 1)}…` : name.padEnd(width);
    lines.push(`  ${label} ${bar(device.fraction, 16)} ${PHASE_TEXT[device.phase]}`);
  }
  if (order.length > shown.length) lines.push(`  and ${order.length - shown.length} more`);
  if (p.waiting) lines.push(`  ${p.waiting}`);
  return lines.map((line) => (line.length > columns ? `${line.slice(0, Math.max(1, columns - 1))}…` : line));
};

/** Who is at work comes first, who has not begun next, who is done last. */
const rank = (d: DeviceLine): number =>
  ["training", "uploading", "failed", "refused", "away", "late", "sent", "idle", "done"].indexOf(d.phase);

/** Lines worth printing for an event besides the rounds: failures, refusals, devices that come and go. */
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
      if (event.state === "launched") return [`  ${event.device}: its client has started`];
      const { problem } = event;
      if (problem === undefined) return [];
      return [`  ${event.device}: ${problem.title}. ${problem.cause} ${problem.next}`];
    }
    default:
      return [];
  }
};
