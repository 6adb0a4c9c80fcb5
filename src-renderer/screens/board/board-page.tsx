import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";
import type { BoardAction, BoardSummary, BoardView } from "#contract/boards.ts";
import type { DeviceView, LiveDevice } from "#contract/views.ts";
import { stateOf } from "#renderer/state/device-state.ts";
import { useBoard } from "#renderer/state/use-states.ts";
import { DeviceStateLabel } from "#renderer/ui/device-state-label.tsx";
import { workText } from "#renderer/ui/device-words.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { BoardConnection } from "./board-connection.tsx";
import { BoardDialogs } from "./board-dialogs.tsx";
import { BoardHardware } from "./board-hardware.tsx";
import style from "./board-page.module.css";
import { BoardPreparation, StudyWaits } from "./board-preparation.tsx";
import { BoardSettings } from "./board-settings.tsx";
import { ClientCard } from "./client-card.tsx";
import { LogCard } from "./log-card.tsx";
import { SetUp } from "./set-up.tsx";
import { TelemetryCard } from "./telemetry-card.tsx";
import {
  BOARD_DIALOGS,
  type BoardActions,
  type BoardDialog,
  boardPath,
  useBoardActions,
} from "./use-board-actions.ts";

/** A board's page: its connection, setup, client, telemetry, log, hardware, rounds and settings. */
export const BoardPage = ({
  device,
  mine,
  round,
  children,
}: {
  readonly device: DeviceView;
  /** How far it is in the round in progress. */
  readonly mine: LiveDevice | undefined;
  /** The round in progress. */
  readonly round: ReactNode;
  /** Its rounds on record. */
  readonly children: ReactNode;
}) => {
  const { name } = device;
  const { view, problem } = useBoard(name);
  const { dialog, open, close } = useBoardDialog(name);
  const actions = useBoardActions(name);
  const setUp = useSetUpLink(name, dialog, view?.plan !== undefined);
  const onAction = (action: BoardAction) => {
    if (view !== undefined) void actions.run(action, view);
  };
  const board = view ?? device.board;
  return (
    <Page
      title={name}
      subtitle={
        <>
          <DeviceStateLabel state={stateOf(device, mine)} />
          {mine !== undefined && ` · ${workText(mine)}`} · {board?.address}
          {board?.model === undefined ? "" : ` · ${board.model}`}
        </>
      }
      actions={<PageButtons board={board} actions={actions} />}
    >
      {problem !== undefined && <Problem text={`Could not load the board. ${problem}`} />}
      {board !== undefined && (
        <BoardConnection
          board={board}
          onAction={onAction}
          busy={actions.busy}
          onCompare={() => open("replace-key")}
        />
      )}
      {view === undefined ? (
        problem === undefined && (
          <Card>
            <Empty title="Loading" text="Reading what the lab knows of this board." />
          </Card>
        )
      ) : (
        <>
          <StudyWaits study={view.client?.study} />
          {view.client !== undefined && (
            <ClientCard view={view} client={view.client} actions={actions} onAction={onAction} />
          )}
          {round}
          <div ref={setUp} className={style.setUp}>
            <BoardPreparation view={view} onAction={onAction} />
          </div>
          <div className={style.cols}>
            <div className={style.stack}>
              <TelemetryCard name={name} history={view.history} online={view.state === "online"} />
              <LogCard name={name} />
            </div>
            <div className={style.stack}>
              <BoardHardware view={view} actions={actions} />
              <FinishedSetUp view={view} onAction={onAction} />
            </div>
          </div>
          {children}
          <BoardSettings view={view} onOpen={open} />
          <BoardDialogs view={view} opened={dialog} onClose={close} onOpen={open} />
        </>
      )}
    </Page>
  );
};

const isDialog = (wanted: string | null): wanted is BoardDialog =>
  BOARD_DIALOGS.some((dialog) => dialog === wanted);

/** The dialog that the page's address names. */
const useBoardDialog = (name: string) => {
  const [, navigate] = useLocation();
  const wanted = new URLSearchParams(useSearch()).get("do");
  return {
    dialog: isDialog(wanted) ? wanted : undefined,
    open: (next: BoardDialog) => navigate(boardPath(name, next), { replace: true }),
    close: () => navigate(boardPath(name), { replace: true }),
  };
};

/** A link to the setup scrolls to it and puts the focus on its first field. @returns for the setup's element */
const useSetUpLink = (name: string, dialog: BoardDialog | undefined, hasPlan: boolean) => {
  const [, navigate] = useLocation();
  const setUp = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (dialog !== "set-up" || !hasPlan) return;
    setUp.current?.scrollIntoView({ block: "start" });
    setUp.current?.querySelector<HTMLElement>("input, button")?.focus({ preventScroll: true });
    navigate(boardPath(name), { replace: true });
  }, [dialog, hasPlan, name, navigate]);
  return setUp;
};

const PageButtons = ({
  board,
  actions,
}: {
  readonly board: BoardSummary | undefined;
  readonly actions: BoardActions;
}) => {
  const [, navigate] = useLocation();
  return (
    <>
      {board !== undefined && board.state !== "online" && (
        <Button onClick={actions.connect} loading={actions.busy === "retry"}>
          Reconnect
        </Button>
      )}
      <Button
        onClick={actions.probe}
        loading={actions.busy === "probe"}
        disabled={board?.state !== "online"}
        title="Reads the board's hardware, system and Docker again"
      >
        Check again
      </Button>
      <Button onClick={() => navigate("/fleet")}>All devices</Button>
    </>
  );
};

/** A setup that is done: its steps can be looked at and undone. */
const FinishedSetUp = ({
  view,
  onAction,
}: {
  readonly view: BoardView;
  readonly onAction: (action: BoardAction) => void;
}) =>
  view.plan?.ready === true && (
    <Card title="Setup" note="done">
      <SetUp view={view} plan={view.plan} onAction={onAction} />
    </Card>
  );
