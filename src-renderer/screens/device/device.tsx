import { Button } from "@mantine/core";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import type { DeviceUpdate, DeviceView, LiveRound } from "#contract/views.ts";
import { lookOf } from "#renderer/charts/colours.ts";
import { type ComputeBar, ComputeChart } from "#renderer/charts/compute-chart.tsx";
import { BoardPage } from "#renderer/screens/board/board.tsx";
import { State } from "#renderer/screens/fleet/device-row.tsx";
import { leftText, profileText, secondsOf, stateOf, workText } from "#renderer/screens/fleet/fleet-rows.ts";
import { LaneKey } from "#renderer/screens/study/devices.tsx";
import { messageOf } from "#renderer/state/states.ts";
import { useFleet, useLiveRound, useNow, useStates, useStudies } from "#renderer/state/use-states.ts";
import { lastPartOf } from "#renderer/ui/address.ts";
import { ago, day, duration, plural } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import style from "./device.module.css";
import { DeviceHistory } from "./device-history.tsx";
import { LiveLane } from "./live-lane.tsx";

/** Updates that the page shows; older ones are in the exported files. */
const SHOWN = 300;

/** One device: what it is like, what it does, how it did in its rounds. */
export const DeviceScreen = () => {
  const name = lastPartOf(location.hash);
  const [, navigate] = useLocation();
  const view = useFleet((state) => state.view);
  const problem = useFleet((state) => state.problem);
  const device = view?.devices.find((d) => d.name === name);
  const last = device?.lastUpdate;
  const { updates, problem: historyProblem } = useHistory(
    name,
    last === undefined ? "" : `${last.run} ${last.round} ${last.status}`,
  );
  const { study, live } = useLiveRound();
  const mine = live?.devices.find((d) => d.device === name);
  const known = device !== undefined || (updates !== undefined && updates.length > 0);

  if (view !== undefined && updates !== undefined && !known) {
    return (
      <Page title={name}>
        <Card>
          <Empty title="No such device" text="It is not in the fleet, and no round on record has it.">
            <Button onClick={() => navigate("/fleet")}>All devices</Button>
          </Empty>
        </Card>
      </Page>
    );
  }
  const round = study !== undefined && live !== undefined && mine !== undefined && (
    <Now live={live} device={name} study={study} usualMs={usualMsOf(updates)} />
  );
  if (device?.kind === "board") {
    return (
      <BoardPage device={device} mine={mine} round={round}>
        {historyProblem !== undefined && (
          <Problem text={`Its rounds could not be loaded. ${historyProblem}`} />
        )}
        {updates !== undefined && updates.length > 0 && <Compute updates={updates} />}
        <DeviceHistory updates={updates} limit={SHOWN} />
      </BoardPage>
    );
  }
  return (
    <Page
      title={name}
      subtitle={
        device === undefined ? (
          view === undefined ? (
            "Loading"
          ) : (
            "Not in the fleet any more; its rounds are on record."
          )
        ) : (
          <>
            <State state={stateOf(device, mine)} />
            {mine !== undefined && ` · ${workText(mine)}`}
          </>
        )
      }
      actions={<Button onClick={() => navigate("/fleet")}>All devices</Button>}
    >
      {problem !== undefined && <Problem text={`The fleet could not be loaded. ${problem}`} />}
      {historyProblem !== undefined && <Problem text={`Its rounds could not be loaded. ${historyProblem}`} />}
      {round}
      <div className={updates?.length === 0 || device === undefined ? style.alone : style.cols}>
        {updates?.length !== 0 && <Compute updates={updates ?? []} />}
        {device !== undefined && <Profile device={device} />}
      </div>
      <DeviceHistory updates={updates} limit={SHOWN} />
    </Page>
  );
};

/** Asked for anew when the device has done something since. */
const useHistory = (name: string, latest: string) => {
  const { client } = useStates();
  const [found, setFound] = useState<{ updates?: readonly DeviceUpdate[]; problem?: string }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `latest` says when there is something new
  useEffect(() => {
    let left = false;
    client.fleet.history({ name, limit: SHOWN }).then(
      (updates) => left || setFound({ updates }),
      (error) => left || setFound((before) => ({ ...before, problem: messageOf(error) })),
    );
    return () => {
      left = true;
    };
  }, [client, name, latest]);
  return { updates: found.updates, problem: found.problem };
};

/** How long its latest round that went well took: the lane's whole length. */
const usualMsOf = (updates: readonly DeviceUpdate[] | undefined): number => {
  const timing = updates?.find(({ status }) => status === "folded")?.timing;
  if (timing === undefined) return 0;
  const { downloadMs = 0, computeMs = 0, uploadMs = 0, waitMs = 0 } = timing;
  return downloadMs + computeMs + uploadMs + waitMs;
};

const Now = ({
  live,
  device,
  study,
  usualMs,
}: {
  readonly live: LiveRound;
  readonly device: string;
  readonly study: string;
  readonly usualMs: number;
}) => (
  <Card
    title={`Round ${live.round}`}
    note={
      <span className={style.roundNote}>
        <span>
          of{" "}
          <Link href={`/studies/${study}`}>
            {useStudies((state) => state.open[study]?.view.name) ?? study}
          </Link>
        </span>
        <LaneKey />
      </span>
    }
  >
    <LiveLane live={live} device={device} usualMs={usualMs} />
  </Card>
);

const Compute = ({ updates }: { readonly updates: readonly DeviceUpdate[] }) => {
  const bars = useMemo(() => barsOf(updates), [updates]);
  const algorithms = [...new Set(bars.map(({ algorithm }) => algorithm))];
  return (
    <Card
      title="Compute time"
      note={
        bars.length === 0
          ? "per round"
          : `per round, the latest ${plural(bars.length, "round")}, newest at the right`
      }
    >
      {bars.length === 0 ? (
        <Empty title="Loading" text="Reading the device's rounds." />
      ) : (
        <>
          <ComputeChart title="Compute time per round" bars={bars} />
          <p className={style.key}>
            {algorithms.map((algorithm) => (
              <span key={algorithm}>
                <svg viewBox="0 0 10 10" aria-hidden="true">
                  <rect width="10" height="10" rx="3" fill={lookOf(algorithm).colour} />
                </svg>
                {algorithm}
              </span>
            ))}
            {bars.some(({ failed }) => failed) && (
              <span>
                <svg viewBox="0 0 10 10" aria-hidden="true">
                  <rect y="6" width="10" height="4" fill="var(--bad)" />
                </svg>
                no update folded
              </span>
            )}
          </p>
        </>
      )}
    </Card>
  );
};

/** More bars than this are thinner than a pixel is wide. */
const BARS = 120;

const barsOf = (updates: readonly DeviceUpdate[]): readonly ComputeBar[] =>
  updates
    .slice(0, BARS)
    .toReversed()
    .map((update, i) => {
      const seconds = secondsOf(update);
      const failed = update.status !== "folded";
      return {
        key: `${update.run} ${update.round} ${i}`,
        algorithm: update.algorithm,
        seconds,
        failed,
        text: `${update.studyName}, ${update.algorithm}, trial ${update.trial}, round ${update.round}: ${
          failed ? update.status : seconds === undefined ? "no time known" : duration(seconds)
        }`,
      };
    });

const Profile = ({ device }: { readonly device: DeviceView }) => {
  const now = useNow(5000);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["Kind", device.kind === "virtual" ? "virtual, a process on this computer" : "external, a Flower client"],
    ["Group", device.group],
    ["Profile", device.profile === undefined ? undefined : profileText(device.profile)],
    ["Address", device.address],
    ["Dialect", device.dialect],
    ["First seen", device.firstSeen === undefined ? "not yet" : day(device.firstSeen, now)],
    [
      "Last seen",
      device.connected ? "now" : device.lastSeen === undefined ? undefined : ago(device.lastSeen, now),
    ],
    [
      "Left because",
      device.connected || device.leftReason === undefined ? undefined : leftText(device.leftReason),
    ],
  ];
  return (
    <Card title="Profile">
      <dl className={style.facts}>
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </Card>
  );
};
