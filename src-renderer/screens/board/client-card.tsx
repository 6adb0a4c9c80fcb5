import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import type { BoardAction, BoardProblem, BoardView, ClientView } from "#contract/boards.ts";
import { useStudies } from "#renderer/state/use-states.ts";
import { Commands } from "#renderer/ui/commands.tsx";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { Disclosure } from "#renderer/ui/disclosure.tsx";
import { Countdown } from "#renderer/ui/elapsed.tsx";
import { Buttons } from "#renderer/ui/form.tsx";
import { clock, plural } from "#renderer/ui/format.ts";
import { Card, Pill, type Tone } from "#renderer/ui/page.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import style from "./client-card.module.css";
import type { BoardActions } from "./use-board-actions.ts";

const CLIENT_STATES: Readonly<
  Record<ClientView["state"], { readonly tone: Tone; readonly mark: string; readonly word: string }>
> = {
  launching: { tone: "accent", mark: "◔", word: "Starting" },
  running: { tone: "ok", mark: "▸", word: "Running" },
  stopping: { tone: "warn", mark: "◼", word: "Stopping" },
  exited: { tone: "bad", mark: "✕", word: "Exited" },
  waiting: { tone: "warn", mark: "‖", word: "Restarting soon" },
};

/** The client's container on the board: what it does, or why it exited and what one click can do about it. */
export const ClientCard = ({
  view,
  client,
  actions,
  onAction,
}: {
  readonly view: BoardView;
  readonly client: ClientView;
  readonly actions: BoardActions;
  readonly onAction: (action: BoardAction) => void;
}) => {
  const name = useStudies(
    (state) => state.open[client.study]?.view.name ?? state.rows?.find(({ id }) => id === client.study)?.name,
  );
  const { tone, mark, word } = CLIENT_STATES[client.state];
  const ended = client.state === "exited" || client.state === "waiting";
  // The page shows a problem of the connection above, once.
  const isShownAbove = client.problem !== undefined && client.problem.code === view.problem?.code;
  const problem = isShownAbove
    ? undefined
    : (client.problem ?? (ended ? unexplainedExit(client) : undefined));
  return (
    <Card
      title="Client"
      note={
        <>
          of <Link href={`/studies/${client.study}`}>{name ?? "its study"}</Link>
        </>
      }
      aside={
        <Pill tone={tone} mark={mark}>
          {word}
        </Pill>
      }
    >
      <div className={style.client}>
        <dl className={style.facts}>
          {clientFacts(client).map(([title, value]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {problem !== undefined && (
          <BoardProblemBox
            problem={problem}
            onAction={onAction}
            busy={actions.busy}
            tone={client.state === "exited" ? "bad" : "warn"}
          />
        )}
        {client.lastLines !== undefined && client.lastLines.length > 0 && (
          <Disclosure summary={`Last ${plural(client.lastLines.length, "line")}`} open={ended}>
            <Commands lines={client.lastLines} what="the last lines" label="Last lines of the client" />
          </Disclosure>
        )}
        <ClientButtons
          board={view.name}
          client={client}
          actions={actions}
          canRestart={problem?.actions?.some((action) => action.do === "restart-client") !== true}
        />
      </div>
    </Card>
  );
};

const ClientButtons = ({
  board,
  client,
  actions,
  canRestart,
}: {
  readonly board: string;
  readonly client: ClientView;
  readonly actions: BoardActions;
  /** No button of the problem restarts it. */
  readonly canRestart: boolean;
}) => {
  const [removing, setRemoving] = useState(false);
  const isGone = client.state === "exited" || client.state === "waiting";
  return (
    <Buttons>
      {canRestart && (
        <Button onClick={() => actions.clientDo("restart")} loading={actions.busy === "restart"}>
          Restart
        </Button>
      )}
      {!isGone && (
        <Button
          onClick={() => actions.clientDo("stop")}
          loading={actions.busy === "stop"}
          disabled={client.state === "stopping"}
        >
          Stop
        </Button>
      )}
      <Button onClick={() => setRemoving(true)}>Remove</Button>
      <Confirm
        opened={removing}
        title="Remove the client?"
        text={`The lab stops the container on ${board} and deletes it, with everything it keeps between rounds. The study continues without this board until you restart the client.`}
        yes="Remove"
        onYes={async () => {
          await actions.clientDo("remove");
        }}
        onClose={() => setRemoving(false)}
      />
    </Buttons>
  );
};

const clientFacts = (client: ClientView): readonly (readonly [string, ReactNode])[] => [
  ...(client.exitCode === undefined ? [] : [["Exit code", String(client.exitCode)] as const]),
  ...(client.oomKilled === true ? [["Memory", "killed: out of memory"] as const] : []),
  ...(client.startedAt === undefined ? [] : [["Started", clock(client.startedAt)] as const]),
  ["Restarts", client.restarts === 0 ? "none" : String(client.restarts)],
  ...(client.image === undefined ? [] : [["Image", client.image] as const]),
  ...(client.container === undefined ? [] : [["Container", client.container] as const]),
  ...(client.retryAt === undefined
    ? []
    : [["Next attempt", <Countdown key="retry" until={client.retryAt} />] as const]),
];

/** A client that exited for a reason that the lab could not name. */
const unexplainedExit = ({ exitCode }: ClientView): BoardProblem => ({
  code: "client-exited",
  title: exitCode === undefined ? "The client is not running" : `The client exited with code ${exitCode}`,
  cause: "Its last lines show why.",
  next: "Remove the cause, then restart the client.",
});
