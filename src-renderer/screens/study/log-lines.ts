import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { BoardProblem } from "#contract/boards.ts";
import type { ClientUpdate, LabEvent, RoundSummary } from "#contract/events.ts";
import { type Metric, metricWord } from "#contract/metrics.ts";
import { noteTexts } from "#contract/round-notes.ts";
import type { LogEntry, RunRow } from "#contract/views.ts";
import { leftText } from "#renderer/ui/device-words.ts";
import { plural, someOf } from "#renderer/ui/format.ts";
import { metricValue } from "#renderer/ui/metric-text.ts";

export interface LogLine {
  readonly tone: "quiet" | "warn" | "bad";
  /** Who or what it is about. */
  readonly subject: string;
  /** Continues the sentence that the subject begins. */
  readonly text: string;
  /** The board that the subject is: its page has more. */
  readonly board?: string;
}

export interface LogItem extends LogLine {
  readonly id: number;
  readonly at: string;
}

/** The log as sentences, newest first. Devices that joined or left one after the other share a line. */
export const linesOf = (
  log: readonly LogEntry[],
  runs: readonly RunRow[],
  metrics: readonly Metric[],
): readonly LogItem[] => {
  const lines: LogItem[] = [];
  let together: { readonly key: string; readonly names: string[] } | undefined;
  for (const { id, event } of log) {
    const line = lineOf(event, runs, metrics);
    if (line === undefined) continue;
    const key =
      event.kind === "device-joined" || event.kind === "device-left" || isGoodNews(event)
        ? line.text
        : undefined;
    if (key !== undefined && together?.key === key) {
      if (!together.names.includes(line.subject)) together.names.push(line.subject);
      const { board: _one, ...shared } = line;
      lines[lines.length - 1] = {
        ...(together.names.length === 1 ? line : shared),
        id,
        at: event.at,
        subject: someOf(together.names),
      };
      continue;
    }
    together = key === undefined ? undefined : { key, names: [line.subject] };
    lines.push({ ...line, id, at: event.at });
  }
  return lines.reverse();
};

/** Many boards connect and launch at once: they share a line as long as nothing is wrong. */
const isGoodNews = (event: LabEvent): boolean =>
  (event.kind === "board-state" && event.state === "online") ||
  (event.kind === "board-client" && event.state !== "ended");

/** An event as a sentence: who, what, why, and a way out where there is one. */
export const lineOf = (
  event: LabEvent,
  runs: readonly RunRow[],
  metrics: readonly Metric[],
): LogLine | undefined => {
  switch (event.kind) {
    case "study-started":
      return {
        tone: "quiet",
        subject: "The study",
        text: `started with ${plural(event.runs, "run")} on the ${event.engine.kind} engine.`,
      };
    case "study-resumed":
      return { tone: "quiet", subject: "The study", text: "resumed." };
    case "study-ended":
      return ended(event.status);
    case "study-paused":
      return { tone: "warn", subject: "The study", text: "is paused. Its devices stay connected." };
    case "study-continued":
      return { tone: "quiet", subject: "The study", text: "continues after the pause." };
    case "run-started":
      return {
        tone: "quiet",
        subject: nameOf(event.run, runs),
        text: event.fromRound > 1 ? `resumes at round ${event.fromRound}.` : "started.",
      };
    case "run-ended":
      return {
        tone: event.status === "failed" ? "bad" : "quiet",
        subject: nameOf(event.run, runs),
        text: `${event.status === "done" ? "is done" : event.status === "failed" ? "failed" : "stopped"}${event.reason ? `: ${event.reason}` : ""}.`,
      };
    case "round-ended": {
      const { round, clients, failures } = event.result;
      if (round === 0) return undefined;
      const missing = failures.length === 0 ? "" : ` ${plural(failures.length, "failure")}.`;
      return {
        tone: failures.length === 0 ? "quiet" : "warn",
        subject: `Round ${round}`,
        text: `of ${nameOf(event.run, runs)}: ${plural(clients.length, "update")}${[figureOf(event.result, metrics), ...noteTexts(event.result)].join(", ")}.${missing}`,
      };
    }
    case "client-update":
      return { ...lostUpdate(event), subject: event.update.device };
    case "metric-refused":
      return {
        tone: "warn",
        subject: event.device,
        text: `reported ${event.name}, which is not recorded: ${event.cause}.`,
      };
    case "device-joined":
      return { tone: "quiet", subject: event.device, text: "joined." };
    case "device-left":
      return { tone: "quiet", subject: event.device, text: `left: ${leftText(event.reason)}.` };
    case "device-refused":
      return {
        tone: "bad",
        subject: event.address,
        text: `was refused: ${event.failure.cause}.${event.failure.next ? ` ${event.failure.next}` : ""}`,
      };
    case "board-state":
      return { ...boardState(event), subject: event.device, board: event.device };
    case "board-client":
      return { ...boardClient(event), subject: event.device, board: event.device };
    default:
      return undefined;
  }
};

/** The first metric that the round knows. */
const figureOf = ({ metrics: values }: Pick<RoundSummary, "metrics">, metrics: readonly Metric[]): string => {
  const metric = metrics.find(({ id }) => Object.hasOwn(values, id) && values[id] !== null);
  return metric === undefined ? "" : `, ${metricWord(metric)} ${metricValue(metric, values[metric.id])}`;
};

const LOST: Readonly<Record<ClientUpdate["status"], string>> = {
  folded: "was aggregated",
  refused: "sent an update that was refused",
  failed: "failed",
  late: "was too late",
};

/** An update that did not reach the model: when, why, and what helps. */
const lostUpdate = ({
  update: { status, failure },
  round,
}: LabEvent & { kind: "client-update" }): Pick<LogLine, "tone" | "text"> => {
  const why = failure === undefined ? "" : `: ${failure.cause}`;
  const next = failure?.next === undefined ? "" : ` ${failure.next}`;
  return {
    tone: status === "late" ? "warn" : "bad",
    text: `${LOST[status]} in round ${round}${why}.${next}`,
  };
};

const said = (problem: BoardProblem | undefined): string =>
  problem === undefined ? "." : `: ${problem.title}. ${problem.cause} ${problem.next}`;

const boardState = ({
  state,
  problem,
}: LabEvent & { kind: "board-state" }): Pick<LogLine, "tone" | "text"> => {
  switch (state) {
    case "online":
      return { tone: "quiet", text: "is connected over SSH." };
    case "silent":
      return { tone: "warn", text: `is not responding${said(problem)}` };
    case "locked":
      return { tone: "bad", text: `needs attention${said(problem)}` };
    case "connecting":
      return { tone: "quiet", text: "is connecting." };
    case "offline":
      return problem === undefined
        ? { tone: "quiet", text: "is not connected." }
        : { tone: "warn", text: `is offline${said(problem)}` };
  }
};

const boardClient = ({
  state,
  exitCode,
  problem,
}: LabEvent & { kind: "board-client" }): Pick<LogLine, "tone" | "text"> => {
  if (state === "launched") return { tone: "quiet", text: "started its client." };
  if (state === "removed") return { tone: "quiet", text: "removed its client." };
  if (problem !== undefined) return { tone: "bad", text: `lost its client${said(problem)}` };
  return exitCode === undefined || exitCode === 0
    ? { tone: "quiet", text: "ended its client." }
    : {
        tone: "bad",
        text: `lost its client: it exited with code ${exitCode}. The board's page shows its last lines of output.`,
      };
};

const ended = (status: "done" | "failed" | "interrupted"): LogLine => {
  if (status === "done") return { tone: "quiet", subject: "The study", text: "is done." };
  if (status === "failed")
    return { tone: "bad", subject: "The study", text: "ended; at least one of its runs failed." };
  return {
    tone: "warn",
    subject: "The study",
    text: "stopped. It can be resumed from its last recorded round.",
  };
};

const nameOf = (id: string, runs: readonly RunRow[]): string => {
  const run = runs.find((r) => r.id === id);
  return run === undefined ? id : `${titleOfAlgorithm(run.algorithm)}, trial ${run.trial}`;
};
