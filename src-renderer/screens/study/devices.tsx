import { useEffect, useState } from "react";
import type { StudyView } from "#contract/views.ts";
import { degrees } from "#renderer/screens/board/board-words.ts";
import { useNow, useStates, useTelemetry } from "#renderer/state/use-states.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import { type Lane, liveLanes, recordedLanes } from "./lanes.ts";
import style from "./study.module.css";

/** A lane per device: the straggler is seen, not read. */
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
          title="No round yet"
          text="Each device gets a lane here: how long it took to get the weights, to train, to send its update, and to wait for the others."
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

export const LaneKey = () => (
  <span className={style.key}>
    {(["download", "compute", "upload", "wait"] as const).map((part) => (
      <span key={part}>
        <i data-part={part} />
        {part}
      </span>
    ))}
  </span>
);

export const LaneRow = ({
  lane,
  withBoards = false,
}: {
  readonly lane: Lane;
  /** Room for what boards tell of themselves. */
  readonly withBoards?: boolean;
}) => (
  <div className={style.lane} {...(withBoards ? { "data-boards": true } : {})}>
    <b title={lane.device}>{lane.device}</b>
    <svg className={style.bar} viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
      <rect data-part="ground" x="0" y="0" width="1000" height="12" />
      {lane.parts.map(({ part, from, to }) => (
        <rect
          key={part}
          data-part={part}
          x={from * 1000}
          y="0"
          width={Math.max(0, (to - from) * 1000)}
          height="12"
        />
      ))}
    </svg>
    <span title={lane.text} {...(lane.bad ? { "data-tone": "bad" } : {})}>
      {lane.text}
    </span>
    {withBoards && <Warmth device={lane.device} />}
  </div>
);

/** How warm a board is; virtual devices are not. */
const Warmth = ({ device }: { readonly device: string }) => (
  <em>{degrees(useTelemetry(device)?.temperature)}</em>
);

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
