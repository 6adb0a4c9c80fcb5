import type { LabEvent, RoundSummary } from "#contract/events.ts";
import { applyToLiveRound } from "#contract/live-round.ts";
import type { MetricValues } from "#contract/metrics.ts";
import type { Curve, LogEntry, RunRow, StreamItem, StudyView } from "#contract/views.ts";

/** How many lines of the log a page keeps. */
const LOG_LENGTH = 400;

/** Is the event about this study, as far as the view can tell? Devices come and go for whoever runs. */
const concerns = (view: StudyView, event: LabEvent): boolean => {
  if ("study" in event) return event.study === view.id;
  if ("run" in event) return view.runs.some((run) => run.id === event.run);
  if (event.kind === "board-state" && !(view.study.fleet.devices ?? []).includes(event.device)) return false;
  return view.status === "running";
};

/**
 * The study's page after one more item of the stream. What it has seen already (an item up to `cursor`) and what is
 * about other studies leaves it as it is: the very same object.
 */
export const applyToStudyView = (view: StudyView, cursor: number, item: StreamItem): StudyView => {
  const { id, event } = item;
  if ((id !== undefined && id <= cursor) || isNotice(event) || !concerns(view, event)) return view;
  const live = applyToLiveRound(view.live, event);
  const logged = id !== undefined && isWorthALine(event) ? [...view.log, toEntry(id, event)] : view.log;
  const { live: _before, ...rest } = changed(view, event);
  return {
    ...rest,
    ...(live === undefined ? {} : { live }),
    log: logged.length > LOG_LENGTH ? logged.slice(-LOG_LENGTH) : logged,
  };
};

const NOTICES: ReadonlySet<string> = new Set([
  "activity",
  "said",
  "studies-changed",
  "fleet-changed",
  "catalogue-changed",
  "transfer",
  "board",
  "telemetry",
  "board-step",
  "board-log",
]);

export const isNotice = (event: StreamItem["event"]): event is Exclude<StreamItem["event"], LabEvent> =>
  NOTICES.has(event.kind);

const changed = (view: StudyView, event: LabEvent): StudyView => {
  switch (event.kind) {
    case "study-started":
    case "study-resumed": {
      const { endedAt: _endedAt, reason: _reason, ...rest } = view;
      return { ...rest, status: "running", startedAt: view.startedAt ?? event.at };
    }
    case "study-ended":
      return {
        ...view,
        status: event.status,
        endedAt: event.at,
        ...(event.reason === undefined ? {} : { reason: event.reason }),
      };
    case "run-started":
      return withRun(view, event.run, (run) => {
        const { endedAt: _endedAt, reason: _reason, ...rest } = run;
        return { ...rest, status: "running", startedAt: run.startedAt ?? event.at };
      });
    case "run-ended":
      return withRun(view, event.run, (run) => ({
        ...run,
        status: event.status,
        reason: event.reason,
        endedAt: event.at,
      }));
    case "round-ended":
      return { ...view, curves: view.curves.map((curve) => withRound(curve, event.run, event.result)) };
    default:
      return view;
  }
};

const withRun = (view: StudyView, id: string, change: (run: RunRow) => RunRow): StudyView => ({
  ...view,
  runs: view.runs.map((run) => (run.id === id ? change(run) : run)),
});

/** A round that is on the curve already changes nothing: rounds come once, in order. */
const withRound = (curve: Curve, run: string, result: RoundSummary): Curve => {
  if (curve.run !== run || result.round <= (curve.round.at(-1) ?? -1)) return curve;
  return {
    run,
    round: [...curve.round, result.round],
    metrics: withValues(curve, result.metrics),
    seconds: [...curve.seconds, result.seconds],
    clients: [...curve.clients, result.clients.length],
    failures: [...curve.failures, result.failures.length],
  };
};

const finite = (n: number | null): number | null => (n !== null && Number.isFinite(n) ? n : null);

/** A metric that appears now has no value in the rounds before. */
const withValues = (curve: Curve, values: MetricValues): Curve["metrics"] => {
  const names = new Set([...Object.keys(curve.metrics), ...Object.keys(values)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const before = Object.hasOwn(curve.metrics, name) ? curve.metrics[name] : undefined;
      const value = Object.hasOwn(values, name) ? (values[name] ?? null) : null;
      return [name, [...(before ?? curve.round.map(() => null)), finite(value)]];
    }),
  );
};

const isWorthALine = (event: LabEvent): boolean => {
  if (event.kind === "client-update") return event.update.status !== "folded";
  return event.kind !== "client-progress" && event.kind !== "waiting" && event.kind !== "round-started";
};

const toEntry = (id: number, event: LabEvent): LogEntry => ({ id, event });
