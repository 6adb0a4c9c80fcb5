import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";
import type { BoardAction, BoardView } from "#contract/boards.ts";
import type { DeviceView, LiveDevice } from "#contract/views.ts";
import { State } from "#renderer/screens/fleet/device-row.tsx";
import { stateOf, workText } from "#renderer/screens/fleet/fleet-rows.ts";
import { StartWithout } from "#renderer/screens/study/start-without.tsx";
import { useBoard, useLiveRound, useNow } from "#renderer/state/use-states.ts";
import { ago, duration } from "#renderer/ui/format.ts";
import { Card, Empty, Page, Problem, Warning } from "#renderer/ui/page.tsx";
import style from "./board.module.css";
import { BoardDialogs } from "./board-dialogs.tsx";
import { BoardFactsList } from "./board-facts.tsx";
import { BoardProblemBox } from "./board-problem.tsx";
import { BoardSettings } from "./board-settings.tsx";
import { ClientCard } from "./client-card.tsx";
import { LogCard } from "./log-card.tsx";
import { SetUp } from "./set-up.tsx";
import { Telemetry } from "./telemetry.tsx";
import { BOARD_DIALOGS, type BoardDialog, boardPath, useBoardActions } from "./use-board-actions.ts";

const isDialog = (wanted: string | null): wanted is BoardDialog =>
  BOARD_DIALOGS.some((dialog) => dialog === wanted);

/** A board: is it there, what does it need, how warm is it, what does its client say. */
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
  const [, navigate] = useLocation();
  const wanted = new URLSearchParams(useSearch()).get("do");
  const dialog = isDialog(wanted) ? wanted : undefined;
  const actions = useBoardActions(name);
  const setUp = useRef<HTMLDivElement>(null);
  const hasPlan = view?.plan !== undefined;
  const close = () => navigate(boardPath(name), { replace: true });
  const open = (next: BoardDialog) => navigate(boardPath(name, next), { replace: true });
  useEffect(() => {
    if (dialog !== "set-up" || !hasPlan) return;
    setUp.current?.scrollIntoView({ block: "start" });
    setUp.current?.querySelector<HTMLElement>("input, button")?.focus({ preventScroll: true });
    navigate(boardPath(name), { replace: true });
  }, [dialog, hasPlan, name, navigate]);
  const onAction = (action: BoardAction) => {
    if (view !== undefined) void actions.run(action, view);
  };
  const board = view ?? device.board;
  return (
    <Page
      title={name}
      subtitle={
        <>
          <State state={stateOf(device, mine)} />
          {mine !== undefined && ` · ${workText(mine)}`} · {board?.address}
          {board?.model === undefined ? "" : ` · ${board.model}`}
        </>
      }
      actions={
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
            title="Looks at its hardware, system and Docker again"
          >
            Look again
          </Button>
          <Button onClick={() => navigate("/fleet")}>All devices</Button>
        </>
      }
    >
      {problem !== undefined && <Problem text={`The board could not be loaded. ${problem}`} />}
      {board !== undefined && (
        <Connection
          board={board}
          onAction={onAction}
          busy={actions.busy}
          onCompare={() => open("replace-key")}
        />
      )}
      {view === undefined ? (
        problem === undefined && (
          <Card>
            <Empty title="Loading" text="Reading what is known of the board." />
          </Card>
        )
      ) : (
        <>
          <Awaited study={view.client?.study} />
          {view.client !== undefined && (
            <ClientCard view={view} client={view.client} actions={actions} onAction={onAction} />
          )}
          {round}
          <div ref={setUp} className={style.setUp}>
            <Preparation view={view} onAction={onAction} />
          </div>
          <div className={style.cols}>
            <div className={style.stack}>
              <Telemetry name={name} history={view.history} online={view.state === "online"} />
              <LogCard name={name} />
            </div>
            <div className={style.stack}>
              <Card
                title="What it is"
                note={view.facts === undefined ? undefined : <Looked at={view.facts.at} />}
              >
                {view.facts === undefined ? (
                  <Empty
                    title="Not looked at yet"
                    text="Its model, memory and Docker are read when it connects."
                  >
                    {view.state === "online" && (
                      <Button onClick={actions.probe} loading={actions.busy === "probe"}>
                        Look at it
                      </Button>
                    )}
                  </Empty>
                ) : (
                  <BoardFactsList facts={view.facts} />
                )}
              </Card>
              {view.plan?.ready === true && (
                <Card title="Set-up" note="done">
                  <SetUp view={view} plan={view.plan} onAction={onAction} />
                </Card>
              )}
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

const Looked = ({ at }: { readonly at: string }) => `looked at ${ago(at, useNow(5000))}`;

/** Why it is not connected, and what can be done. */
const Connection = ({
  board,
  onAction,
  busy,
  onCompare,
}: {
  readonly board: NonNullable<DeviceView["board"]>;
  readonly onAction: (action: BoardAction) => void;
  readonly busy: string | undefined;
  readonly onCompare: () => void;
}) => {
  if (board.state === "online" || board.problem === undefined) {
    if (board.state !== "silent") return null;
    return (
      <Warning
        text={
          <>
            It has not answered for <Since at={board.since} />. The lab keeps the connection and waits.
          </>
        }
      />
    );
  }
  return (
    <BoardProblemBox
      problem={board.problem}
      onAction={onAction}
      busy={busy}
      tone={board.state === "locked" ? "bad" : "warn"}
    >
      {board.problem.code === "host-key-changed" && (
        <Button size="xs" onClick={onCompare}>
          Compare the keys
        </Button>
      )}
      {board.retryAt !== undefined && (
        <span className={style.note}>
          The lab tries again <Until at={board.retryAt} />.
        </span>
      )}
    </BoardProblemBox>
  );
};

const Since = ({ at }: { readonly at: string }) =>
  duration(Math.max(1, Math.round((useNow() - Date.parse(at)) / 1000)));

const Until = ({ at }: { readonly at: string }) => {
  const seconds = Math.ceil((Date.parse(at) - useNow()) / 1000);
  return seconds <= 0 ? "now" : `in ${seconds < 90 ? `${seconds} s` : duration(seconds)}`;
};

/** Its study waits for somebody: the round can begin with those that are there. */
const Awaited = ({ study }: { readonly study: string | undefined }) => {
  const { study: running, live } = useLiveRound();
  const waiting = live?.waiting;
  if (study === undefined || running !== study || waiting?.stage !== "joining") return null;
  return (
    <Warning
      text={`Its study waits for ${waiting.for}.`}
      action={<StartWithout study={study} waiting={waiting} />}
    />
  );
};

/** What is still to be done before it can take part; once it is ready, this stands beside its facts. */
const Preparation = ({
  view,
  onAction,
}: {
  readonly view: BoardView;
  readonly onAction: (action: BoardAction) => void;
}) => {
  if (view.facts?.unsupported !== undefined)
    return <Problem text={`No client can run on this board. ${view.facts.unsupported}`} />;
  if (view.plan === undefined || view.plan.ready) return null;
  return (
    <Card title="Set-up" note={view.plan.running ? "under way" : "what is needed before it can take part"}>
      <SetUp view={view} plan={view.plan} onAction={onAction} />
    </Card>
  );
};
