import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import { gainOf, type Metric, metricWord } from "#contract/metrics.ts";
import type { Curve, StudyView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { duration, plural, someOf } from "#renderer/ui/format.ts";
import { metricGain, metricValue } from "#renderer/ui/metric-text.ts";
import { Card, Small, Warning } from "#renderer/ui/page.tsx";
import { progressOf } from "./progress.ts";
import { StartWithout } from "./start-without.tsx";
import style from "./study.module.css";

/** A wait is said from here on. */
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
                {metricGain(primary!, gainOf(primary!, reached, against))} vs. {titleOfAlgorithm(first ?? "")}{" "}
                at the same round
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
                  ? `waiting for ${someOf(pending.map((d) => d.device))} for ${duration(Math.floor(elapsed / 1000))}`
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
              ? `The round cannot begin: waiting for ${live.waiting.for} for ${duration((now - Date.parse(live.waiting.since)) / 1000)}. ${live.waiting.next} Or stop now.`
              : `Still waiting for ${live.waiting.for}. Stop after this round, or give the next study a deadline per round.`
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

const valueAt = (
  curve: Curve | undefined,
  metric: Metric | undefined,
  round: number | undefined,
): number | null => {
  if (curve === undefined || metric === undefined || round === undefined) return null;
  const index = curve.round.indexOf(round);
  const values = Object.hasOwn(curve.metrics, metric.id) ? curve.metrics[metric.id] : undefined;
  return index < 0 ? null : (values?.[index] ?? null);
};

const Outcome = ({ view, metric }: { readonly view: StudyView; readonly metric: Metric }) => {
  const rows = view.study.algorithms.map((algorithm) => {
    const last = view.runs.flatMap((run) => {
      if (run.algorithm !== algorithm) return [];
      const curve = view.curves.find((c) => c.run === run.id);
      return valueAt(curve, metric, curve?.round.at(-1)) ?? [];
    });
    return {
      algorithm,
      n: last.length,
      mean: last.length === 0 ? null : last.reduce((a, b) => a + b, 0) / last.length,
    };
  });
  const base = rows[0]?.mean ?? null;
  return (
    <Card title="Result" note={`${metricWord(metric)}, last round`}>
      <dl className={style.facts}>
        {rows.map(({ algorithm, mean, n }, i) => (
          <div key={algorithm}>
            <dt>{titleOfAlgorithm(algorithm)}</dt>
            <dd>
              {metricValue(metric, mean)}
              <small
                {...(i > 0 && mean !== null && base !== null && gainOf(metric, mean, base) > 0
                  ? { "data-tone": "up" }
                  : {})}
              >
                {i === 0 || mean === null || base === null
                  ? ""
                  : `${metricGain(metric, gainOf(metric, mean, base))} vs. ${titleOfAlgorithm(rows[0]?.algorithm ?? "")} · `}
                {n === 1 ? "one trial" : `mean of ${n} trials`}
              </small>
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
};
