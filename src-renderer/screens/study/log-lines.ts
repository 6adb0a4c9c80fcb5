import type { LabEvent } from "#contract/events.ts";
import type { LogEntry, RunRow } from "#contract/views.ts";
import { percent, plural, someOf } from "#renderer/ui/format.ts";

export interface LogLine {
  readonly tone: "quiet" | "warn" | "bad";
  /** Who or what it is about. */
  readonly subject: string;
  /** Goes on from the subject. */
  readonly text: string;
}

export interface LogItem extends LogLine {
  readonly id: number;
  readonly at: string;
}

/** The log as sentences, newest first. Devices that joined or left one after the other share a line. */
export const linesOf = (log: readonly LogEntry[], runs: readonly RunRow[]): readonly LogItem[] => {
  const lines: LogItem[] = [];
  let together: { readonly key: string; readonly names: string[] } | undefined;
  for (const { id, event } of log) {
    const line = lineOf(event, runs);
    if (line === undefined) continue;
    const key = event.kind === "device-joined" || event.kind === "device-left" ? line.text : undefined;
    if (key !== undefined && together?.key === key) {
      if (!together.names.includes(line.subject)) together.names.push(line.subject);
      lines[lines.length - 1] = { ...line, id, at: event.at, subject: someOf(together.names) };
      continue;
    }
    together = key === undefined ? undefined : { key, names: [line.subject] };
    lines.push({ ...line, id, at: event.at });
  }
  return lines.reverse();
};

/** An event as a sentence: who, what, why, and a way out where there is one. */
export const lineOf = (event: LabEvent, runs: readonly RunRow[]): LogLine | undefined => {
  switch (event.kind) {
    case "study-started":
      return {
        tone: "quiet",
        subject: "The study",
        text: `started with ${plural(event.runs, "run")} on the ${event.engine.kind} engine.`,
      };
    case "study-resumed":
      return { tone: "quiet", subject: "The study", text: "goes on." };
    case "study-ended":
      return ended(event.status);
    case "study-paused":
      return { tone: "warn", subject: "The study", text: "is paused; its devices stay connected." };
    case "study-continued":
      return { tone: "quiet", subject: "The study", text: "goes on after its pause." };
    case "run-started":
      return {
        tone: "quiet",
        subject: nameOf(event.run, runs),
        text: event.fromRound > 1 ? `goes on at round ${event.fromRound}.` : "started.",
      };
    case "run-ended":
      return {
        tone: event.status === "failed" ? "bad" : "quiet",
        subject: nameOf(event.run, runs),
        text: `${event.status === "done" ? "is done" : event.status === "failed" ? "failed" : "stopped"}${event.reason ? `: ${event.reason}` : ""}.`,
      };
    case "round-ended": {
      const { round, clients, failures, accuracy, loss } = event.result;
      if (round === 0) return undefined;
      const figure =
        accuracy === null
          ? loss === null
            ? ""
            : `, loss ${loss.toFixed(3)}`
          : `, accuracy ${percent(accuracy)}`;
      const missing = failures.length === 0 ? "" : ` ${plural(failures.length, "failure")}.`;
      return {
        tone: failures.length === 0 ? "quiet" : "warn",
        subject: `Round ${round}`,
        text: `of ${nameOf(event.run, runs)}: ${plural(clients.length, "update")}${figure}.${missing}`,
      };
    }
    case "client-update": {
      const { device, status, failure } = event.update;
      const next = failure?.next === undefined ? "" : ` ${failure.next}`;
      return {
        tone: status === "late" ? "warn" : "bad",
        subject: device,
        text: `${failure?.cause ?? status} (round ${event.round}).${next}`,
      };
    }
    case "device-joined":
      return { tone: "quiet", subject: event.device, text: "joined." };
    case "device-left":
      return { tone: "quiet", subject: event.device, text: `left: ${event.reason}.` };
    case "device-refused":
      return {
        tone: "bad",
        subject: event.address,
        text: `was refused: ${event.failure.cause}.${event.failure.next ? ` ${event.failure.next}` : ""}`,
      };
    default:
      return undefined;
  }
};

const ended = (status: "done" | "failed" | "interrupted"): LogLine => {
  if (status === "done") return { tone: "quiet", subject: "The study", text: "is done." };
  if (status === "failed")
    return { tone: "bad", subject: "The study", text: "ended; at least one of its runs failed." };
  return { tone: "warn", subject: "The study", text: "stopped. It can go on from its last recorded round." };
};

const nameOf = (id: string, runs: readonly RunRow[]): string => {
  const run = runs.find((r) => r.id === id);
  return run === undefined ? id : `${run.algorithm}, trial ${run.trial}`;
};
