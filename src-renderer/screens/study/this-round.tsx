import type { StudyView } from "#contract/views.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { duration, fixed, percent, plural, points, someOf } from "#renderer/ui/format.ts";
import { Card, Small, Warning } from "#renderer/ui/page.tsx";
import { progressOf } from "./progress.ts";
import { StartWithout } from "./start-without.tsx";
import style from "./study.module.css";

/** A wait is said from here on. */
const SILENT_MS = 2000;

/** The round in progress in three figures, or how the study ended. */
export const ThisRound = ({ view }: { readonly view: StudyView }) => {
  const now = useNow();
  const { run } = progressOf(view, now);
  const curve = run && view.curves.find((c) => c.run === run.id);
  const accuracy = curve?.accuracy.at(-1) ?? null;
  const { live } = view;
  const answered = live?.devices.filter((d) => d.endedMs !== undefined) ?? [];
  const pending = live?.devices.filter((d) => d.endedMs === undefined) ?? [];
  const first = view.study.algorithms[0];
  const last = curve?.round.at(-1) ?? 0;
  const against =
    run && last > 0 && run.algorithm !== first
      ? accuracyAt(view, first, run.trial, curve?.round.at(-1))
      : null;
  const elapsed = live === undefined ? 0 : now - Date.parse(live.startedAt);
  if (view.status === "done" || view.status === "failed") return <Outcome view={view} />;
  return (
    <Card title={live === undefined ? "Last round" : `Round ${live.round}`}>
      <dl className={style.facts}>
        <div>
          <dt>{last === 0 ? "Accuracy before training" : `Accuracy after round ${last}`}</dt>
          <dd>
            {percent(accuracy)}
            {against !== null && accuracy !== null && (
              <small data-tone={accuracy > against ? "up" : "down"}>
                {points(accuracy - against)} points against {first} at the same round
              </small>
            )}
          </dd>
        </div>
        <div>
          <dt>Loss</dt>
          <dd>{fixed(curve?.loss.at(-1))}</dd>
        </div>
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
          {roundsDone(view)} of {plural(view.rounds * view.runs.length, "round")} in all
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

const accuracyAt = (
  view: StudyView,
  algorithm: string | undefined,
  trial: number,
  round: number | undefined,
): number | null => {
  const run = view.runs.find((r) => r.algorithm === algorithm && r.trial === trial);
  const curve = run && view.curves.find((c) => c.run === run.id);
  const index = round === undefined ? -1 : (curve?.round.indexOf(round) ?? -1);
  return index < 0 ? null : (curve?.accuracy[index] ?? null);
};

const Outcome = ({ view }: { readonly view: StudyView }) => {
  const rows = view.study.algorithms.map((algorithm) => {
    const last = view.runs.flatMap((run) => {
      if (run.algorithm !== algorithm) return [];
      return view.curves.find((c) => c.run === run.id)?.accuracy.at(-1) ?? [];
    });
    return {
      algorithm,
      n: last.length,
      mean: last.length === 0 ? null : last.reduce((a, b) => a + b, 0) / last.length,
    };
  });
  const base = rows[0]?.mean ?? null;
  return (
    <Card title="Result" note="last round">
      <dl className={style.facts}>
        {rows.map(({ algorithm, mean, n }, i) => (
          <div key={algorithm}>
            <dt>{algorithm}</dt>
            <dd>
              {percent(mean)}
              <small
                {...(i > 0 && mean !== null && base !== null && mean > base ? { "data-tone": "up" } : {})}
              >
                {i === 0 || mean === null || base === null
                  ? ""
                  : `${points(mean - base)} points against ${rows[0]?.algorithm} · `}
                {n === 1 ? "one trial" : `mean of ${n} trials`}
              </small>
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
};
