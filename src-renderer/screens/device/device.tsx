import { Button } from "@mantine/core";
import { useLocation } from "wouter";
import type { DeviceUpdate, DeviceView, LiveDevice } from "#contract/views.ts";
import { BoardPage } from "#renderer/screens/board/board-page.tsx";
import { stateOf } from "#renderer/state/device-state.ts";
import { useFleet, useLiveRound } from "#renderer/state/use-states.ts";
import { lastPartOf } from "#renderer/ui/address.ts";
import { DeviceStateLabel } from "#renderer/ui/device-state-label.tsx";
import { workText } from "#renderer/ui/device-words.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import style from "./device.module.css";
import { DeviceCompute } from "./device-compute.tsx";
import { DeviceHistory } from "./device-history.tsx";
import { DeviceProfile } from "./device-profile.tsx";
import { DeviceRound } from "./device-round.tsx";
import { useDeviceHistory } from "./use-device-history.ts";

/** The most updates that the page shows; exported files have all of them. */
const SHOWN = 300;

/** One device: what it is, what it does, how it did in its rounds. A board has a page of its own. */
export const DeviceScreen = () => {
  const name = lastPartOf(location.hash);
  const view = useFleet((state) => state.view);
  const problem = useFleet((state) => state.problem);
  const device = view?.devices.find((d) => d.name === name);
  const last = device?.lastUpdate;
  const { updates, problem: historyProblem } = useDeviceHistory(
    name,
    SHOWN,
    last === undefined ? "" : `${last.run} ${last.round} ${last.status}`,
  );
  const { study, live } = useLiveRound();
  const mine = live?.devices.find((d) => d.device === name);
  const round = study !== undefined && live !== undefined && mine !== undefined && (
    <DeviceRound live={live} device={name} study={study} updates={updates} />
  );
  const history = (
    <>
      {historyProblem !== undefined && <Problem text={`Could not load the rounds. ${historyProblem}`} />}
      <Rounds updates={updates} device={device} />
    </>
  );
  if (view !== undefined && device === undefined && updates?.length === 0)
    return <NoSuchDevice name={name} />;
  if (device?.kind === "board") {
    return (
      <BoardPage device={device} mine={mine} round={round}>
        {history}
      </BoardPage>
    );
  }
  return (
    <Page
      title={name}
      subtitle={
        device !== undefined ? (
          <StateLine device={device} mine={mine} />
        ) : view === undefined ? (
          "Loading"
        ) : (
          "No longer in the fleet. Its rounds are on record."
        )
      }
      actions={<AllDevices />}
    >
      {problem !== undefined && <Problem text={`Could not load the fleet. ${problem}`} />}
      {round}
      {history}
    </Page>
  );
};

const AllDevices = () => {
  const [, navigate] = useLocation();
  return <Button onClick={() => navigate("/fleet")}>All devices</Button>;
};

const NoSuchDevice = ({ name }: { readonly name: string }) => (
  <Page title={name}>
    <Card>
      <Empty
        title="Device not found"
        text={`No device in the fleet and no round on record is named ${name}.`}
      >
        <AllDevices />
      </Empty>
    </Card>
  </Page>
);

const StateLine = ({
  device,
  mine,
}: {
  readonly device: DeviceView;
  readonly mine: LiveDevice | undefined;
}) => (
  <>
    <DeviceStateLabel state={stateOf(device, mine)} />
    {mine !== undefined && ` · ${workText(mine)}`}
  </>
);

/** Its rounds on record, as a chart and a table; beside the chart the profile of a device that is no board. */
const Rounds = ({
  updates,
  device,
}: {
  readonly updates: readonly DeviceUpdate[] | undefined;
  readonly device: DeviceView | undefined;
}) => {
  const isBoard = device?.kind === "board";
  const hasChart = isBoard ? updates !== undefined && updates.length > 0 : updates?.length !== 0;
  const hasProfile = device !== undefined && !isBoard;
  return (
    <>
      {(hasChart || hasProfile) && (
        <div className={hasChart && hasProfile ? style.cols : style.alone}>
          {hasChart && <DeviceCompute updates={updates} />}
          {hasProfile && <DeviceProfile device={device} />}
        </div>
      )}
      <DeviceHistory updates={updates} limit={SHOWN} />
    </>
  );
};
