import { useMemo } from "react";
import { Link } from "wouter";
import type { DeviceUpdate, LiveRound } from "#contract/views.ts";
import { LaneKey, LaneRow } from "#renderer/charts/lane-row.tsx";
import { liveLanes } from "#renderer/charts/lanes.ts";
import { useNow, useStudies } from "#renderer/state/use-states.ts";
import { Card } from "#renderer/ui/page.tsx";
import style from "./device-round.module.css";

/** The device's part of the round in progress. */
export const DeviceRound = ({
  live,
  device,
  study,
  updates,
}: {
  readonly live: LiveRound;
  readonly device: string;
  readonly study: string;
  /** Its updates on record, newest first. */
  readonly updates: readonly DeviceUpdate[] | undefined;
}) => {
  const name = useStudies((state) => state.open[study]?.view.name);
  return (
    <Card
      title={`Round ${live.round}`}
      note={
        <span className={style.note}>
          <span>
            of <Link href={`/studies/${study}`}>{name ?? "the running study"}</Link>
          </span>
          <LaneKey />
        </span>
      }
    >
      <LiveLane live={live} device={device} usualMs={usualMsOf(updates)} />
    </Card>
  );
};

/** How long its latest successful round took, in milliseconds: the full length of the lane. */
const usualMsOf = (updates: readonly DeviceUpdate[] | undefined): number => {
  const timing = updates?.find(({ status }) => status === "folded")?.timing;
  if (timing === undefined) return 0;
  const { downloadMs = 0, computeMs = 0, uploadMs = 0, waitMs = 0 } = timing;
  return downloadMs + computeMs + uploadMs + waitMs;
};

const LiveLane = ({
  live,
  device,
  usualMs,
}: {
  readonly live: LiveRound;
  readonly device: string;
  readonly usualMs: number;
}) => {
  const now = useNow(200);
  const alone = useMemo(
    () => ({ ...live, devices: live.devices.filter((d) => d.device === device) }),
    [live, device],
  );
  return liveLanes(alone, now, usualMs).map((lane) => <LaneRow key={lane.device} lane={lane} />);
};
