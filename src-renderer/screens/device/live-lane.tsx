import { useMemo } from "react";
import type { LiveRound } from "#contract/views.ts";
import { LaneRow } from "#renderer/screens/study/devices.tsx";
import { liveLanes } from "#renderer/screens/study/lanes.ts";
import { useNow } from "#renderer/state/use-states.ts";

/** The device's own lane of the round in progress. */
export const LiveLane = ({
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
