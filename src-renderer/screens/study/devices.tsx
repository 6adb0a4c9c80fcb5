import { useEffect, useState } from "react";
import type { StudyView } from "#contract/views.ts";
import { LaneKey, LaneRow } from "#renderer/charts/lane-row.tsx";
import { type Lane, liveLanes, recordedLanes } from "#renderer/charts/lanes.ts";
import { useNow, useStates } from "#renderer/state/use-states.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import style from "./study.module.css";

/** A lane per device: stragglers stand out at a glance. */
export const Devices = ({ view }: { readonly view: StudyView }) => {
  const now = useNow(200);
  const recorded = useLatestRound(view);
  const { live } = view;
  const lanes =
    live !== undefined && live.devices.length > 0
      ? liveLanes(live, now, usualMs(view))
      : (recorded?.lanes ?? []);
  const round = live !== undefined && live.devices.length > 0 ? live.round : recorded?.round;
  if (round === undefined) {
    return (
      <Card title="Devices">
        <Empty
          title="No rounds yet"
          text="Each device gets a bar here: how long it downloads the weights, trains, uploads its update and waits for the others."
        />
      </Card>
    );
  }
  return (
    <Card title={`Devices in round ${round}`} note={<LaneKey />}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled with the keyboard, too */}
      <section className={style.lanes} tabIndex={0} aria-label="Devices of the round">
        {lanes.map((lane) => (
          <LaneRow key={lane.device} lane={lane} withBoards={view.study.fleet.devices !== undefined} />
        ))}
      </section>
    </Card>
  );
};

/** How long the round before this one took. */
const usualMs = (view: StudyView): number => {
  const before = view.curves
    .flatMap((curve) => curve.seconds.filter((_, i) => (curve.round[i] ?? 0) > 0))
    .at(-1);
  return (before ?? 0) * 1000;
};

/** The lanes of the latest recorded round, asked for when no round is in progress. */
const useLatestRound = (
  view: StudyView,
): { readonly round: number; readonly lanes: readonly Lane[] } | undefined => {
  const { client } = useStates();
  const [found, setFound] = useState<{ key: string; round: number; lanes: readonly Lane[] }>();
  const idle = view.live === undefined;
  const run = view.runs.findLast((r) => (view.curves.find((c) => c.run === r.id)?.round.at(-1) ?? 0) > 0);
  const round = run && view.curves.find((c) => c.run === run.id)?.round.at(-1);
  const key = run === undefined ? undefined : `${run.id} ${round}`;
  useEffect(() => {
    if (!idle || run === undefined || round === undefined || key === undefined) return;
    let left = false;
    client.studies.round({ run: run.id, round }).then(
      ({ updates }) => {
        if (!left) setFound({ key, round, lanes: recordedLanes(updates) });
      },
      () => {},
    );
    return () => {
      left = true;
    };
  }, [client, idle, key, run, round]);
  return found;
};
