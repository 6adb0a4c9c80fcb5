import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import { gainOf, type Metric } from "#contract/metrics.ts";
import type { Curve, StudyView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { duration, plural, someOf } from "#renderer/ui/format.ts";
import { metricDifference, metricValue } from "#renderer/ui/metric-text.ts";
import { Card, Small, Warning } from "#renderer/ui/page.tsx";
import { StartWithout } from "#renderer/ui/start-without.tsx";
import { Outcome } from "./outcome.tsx";
import { progressOf } from "./progress.ts";
import style from "./study.module.css";
import { valueAt } from "./value-at.ts";

/** The page mentions a wait from this length on. */
const SILENT_MS = 2000;

interface ThisRoundProps {
  readonly view: StudyView;
  /** The primary metric first. */
  readonly metrics: readonly Metric[];
}

/** Metrics that have room beside the primary one. */
const OTHERS = 2;

/** The round in progress in a few figures, or how the study ended. */
export const ThisRound = ({ view, metrics }: ThisRoundProps) => {
  const now = useNow();
  const { run } = progressOf(view, now);
  const curve = run && view.curves.find((c) => c.run === run.id);
  const [primary, ...others] = metrics;
  const reached = valueAt(curve, primary, curve?.round.at(-1));
  const { live } = view;
  const answered = live?.devices.filter((d) => d.endedMs !== undefined) ?? [];
  const pending = live?.devices.filter((d) => d.endedMs === undefined) ?? [];
  const first = view.study.algorithms[0];
  const last = curve?.round.at(-1) ?? 0;
  const against =
    run && last > 0 && run.algorithm !== first
      ? valueAt(curveOf(view, first, run.trial), primary, curve?.round.at(-1))
      : null;
  const elapsed = live === undefined ? 0 : now - Date.parse(live.startedAt);
  if (view.status === "done" || view.status === "failed") return <Outcome view={view} metric={primary!} />;
  return (
    <Card title={live === undefined ? "Last round" : `Round ${live.round}`}>
      <dl className={style.facts}>
        <div>
          <dt>
            {primary!.title} {last === 0 ? "before training" : `after round ${last}`}
          </dt>
          <dd>
            {metricValue(primary!, reached)}
            {against !== null && reached !== null && (
              <small data-tone={gainOf(primary!, reached, against) > 0 ? "up" : "down"}>
                {metricDifference(primary!, reached - against)} vs. {titleOfAlgorithm(first ?? "")} at the
                same round
              </small>
            )}
          </dd>
        </div>
        {others.slice(0, OTHERS).map((metric) => (
          <div key={metric.id}>
            <dt>{metric.title}</dt>
            <dd>{metricValue(metric, valueAt(curve, metric, curve?.round.at(-1)))}</dd>
          </div>
        ))}
        {live !== undefined && (
          <div>
            <dt>Updates</dt>
            <dd>
              {answered.length} of {live.devices.length}
              <small>
                {pending.length > 0 && elapsed > SILENT_MS
                  ? `waiting ${duration(Math.floor(elapsed / 1000))} for ${someOf(pending.map((d) => d.device))}`
                  : "\u00a0"}
              </small>
            </dd>
          </div>
        )}
      </dl>
      <div className={style.overall}>
        <progress
          max={view.rounds * view.runs.length}
          value={roundsDone(view)}
          aria-label="Rounds of the study"
        />
        <Small>
          {roundsDone(view)} of {plural(view.rounds * view.runs.length, "round")} in total
        </Small>
      </div>
      {live?.waiting !== undefined && now - Date.parse(live.waiting.since) > SILENT_MS * 5 && (
        <Warning
          {...(live.waiting.stage === "joining"
            ? { action: <StartWithout study={view.id} waiting={live.waiting} /> }
            : {})}
          text={
            live.waiting.stage === "joining"
              ? `This round cannot start yet. The lab has waited ${duration((now - Date.parse(live.waiting.since)) / 1000)} for ${live.waiting.for}. ${live.waiting.next} You can also stop the study.`
              : `Still waiting for ${live.waiting.for}. You can stop after this round; a round deadline in the next study avoids such waits.`
          }
        />
      )}
    </Card>
  );
};

const roundsDone = (view: StudyView): number =>
  view.curves.reduce((sum, curve) => sum + Math.max(0, curve.round.at(-1) ?? 0), 0);

const curveOf = (view: StudyView, algorithm: string | undefined, trial: number): Curve | undefined => {
  const run = view.runs.find((r) => r.algorithm === algorithm && r.trial === trial);
  return run && view.curves.find((c) => c.run === run.id);
};
