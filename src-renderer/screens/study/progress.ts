import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { Activity, RunRow, StudyView } from "#contract/views.ts";
import { estimate } from "#renderer/ui/format.ts";

export interface Progress {
  readonly run: RunRow | undefined;
  /** The round in progress, or the last one that is done. */
  readonly round: number;
  readonly secondsLeft: number | undefined;
  readonly sentence: string;
}

/** Rounds that the estimate looks back on. */
const RECENT = 10;

/** Where a study is, and how long it will still take at the pace of its latest rounds. */
export const progressOf = (view: StudyView, now: number, activity?: Activity): Progress => {
  const running = view.runs.find((run) => run.status === "running");
  const over = (run: RunRow) => run.status === "done" || run.status === "failed";
  const run = running ?? view.runs.find((r) => !over(r));
  const curve = run && view.curves.find((c) => c.run === run.id);
  const done = curve?.round.at(-1) ?? 0;
  const round = view.live?.run === run?.id && view.live !== undefined ? view.live.round : done;
  const left = view.runs.reduce((sum, r) => {
    if (over(r)) return sum;
    return sum + view.rounds - (view.curves.find((c) => c.run === r.id)?.round.at(-1) ?? 0);
  }, 0);
  const pace = paceOf(view);
  const elapsed = view.live === undefined ? 0 : Math.max(0, now - Date.parse(view.live.startedAt)) / 1000;
  const secondsLeft = pace === undefined ? undefined : Math.max(0, left * pace - Math.min(elapsed, pace));
  return { run, round, secondsLeft, sentence: sentenceOf(view, { run, round, secondsLeft }, activity) };
};

const paceOf = (view: StudyView): number | undefined => {
  const seconds = view.curves.flatMap((curve) => curve.seconds.filter((_, i) => (curve.round[i] ?? 0) > 0));
  const recent = seconds.slice(-RECENT);
  return recent.length === 0 ? undefined : recent.reduce((sum, s) => sum + s, 0) / recent.length;
};

const sentenceOf = (
  view: StudyView,
  at: Omit<Progress, "sentence">,
  activity: Activity | undefined,
): string => {
  // Why it stopped last time no longer matters once it runs again or is queued.
  const isConducted = activity?.study === view.id || activity?.queue.includes(view.id) === true;
  const isGoing = view.status === "running" && (activity?.phase ?? "running") === "running";
  const shape = `${view.model} on ${view.dataset}`;
  const { run, round, secondsLeft } = at;
  const overall = view.runs.filter((r) => r.status === "done").length;
  if (view.status === "done" || view.status === "failed") {
    const reason = view.reason ?? view.runs.find((r) => r.status === "failed")?.reason;
    return [
      shape,
      `${overall} of ${view.runs.length} runs done`,
      ...(reason && view.status === "failed" ? [reason] : []),
    ].join(" · ");
  }
  if (run === undefined) return shape;
  const where = [
    titleOfAlgorithm(run.algorithm),
    ...(view.trials > 1 ? [`trial ${run.trial} of ${view.trials}`] : []),
    `round ${Math.min(round, view.rounds)} of ${view.rounds}`,
  ];
  if (isGoing && secondsLeft !== undefined) where.push(`about ${estimate(secondsLeft)} left`);
  if (view.status === "interrupted" && !isConducted)
    where.push(`${view.reason ? `${view.reason}; ` : ""}can be resumed from here`);
  return where.join(" · ");
};
