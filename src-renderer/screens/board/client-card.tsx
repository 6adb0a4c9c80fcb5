import { Button } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import type { BoardAction, BoardProblem, BoardView, ClientView } from "#contract/boards.ts";
import { useNow, useStudies } from "#renderer/state/use-states.ts";
import { Confirm } from "#renderer/ui/dialog.tsx";
import { clock, duration, plural } from "#renderer/ui/format.ts";
import { Card, Pill, type Tone } from "#renderer/ui/page.tsx";
import style from "./board.module.css";
import { BoardProblemBox, Commands } from "./board-problem.tsx";
import type { BoardActions } from "./use-board-actions.ts";

const STATES: Readonly<
  Record<ClientView["state"], { readonly tone: Tone; readonly mark: string; readonly word: string }>
> = {
  launching: { tone: "accent", mark: "◔", word: "Starting" },
  running: { tone: "ok", mark: "▸", word: "Running" },
  stopping: { tone: "warn", mark: "◼", word: "Stopping" },
  exited: { tone: "bad", mark: "✕", word: "Ended" },
  waiting: { tone: "warn", mark: "‖", word: "Waits for another try" },
};

/** The client's container on the board: what it does, or why it ended and what one click can do about it. */
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
  const [removing, setRemoving] = useState(false);
  const name = useStudies(
    (state) => state.open[client.study]?.view.name ?? state.rows?.find(({ id }) => id === client.study)?.name,
  );
  const { tone, mark, word } = STATES[client.state];
  const ended = client.state === "exited" || client.state === "waiting";
  // What keeps the board away is told above, once.
  const isToldAbove = client.problem !== undefined && client.problem.code === view.problem?.code;
  const problem = isToldAbove ? undefined : (client.problem ?? (ended ? plainEnd(client) : undefined));
  return (
    <Card
      title={ended ? "The client ended" : "Client"}
      note={
        <>
          of <Link href={`/studies/${client.study}`}>{name ?? client.study}</Link>
        </>
      }
      aside={
        <Pill tone={tone} mark={mark}>
          {word}
        </Pill>
      }
    >
      <dl className={style.clientFacts}>
        {factsOf(client).map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {client.retryAt !== undefined && (
          <div>
            <dt>Next try</dt>
            <dd>
              <Until at={client.retryAt} />
            </dd>
          </div>
        )}
      </dl>
      {problem !== undefined && (
        <div className={style.below}>
          <BoardProblemBox
            problem={problem}
            onAction={onAction}
            busy={actions.busy}
            tone={client.state === "exited" ? "bad" : "warn"}
          />
        </div>
      )}
      {client.lastLines !== undefined && client.lastLines.length > 0 && (
        <details className={style.raw} open={ended}>
          <summary>Its last {plural(client.lastLines.length, "line")}</summary>
          <Commands lines={client.lastLines} what="the last lines" label="Last lines of the client" />
        </details>
      )}
      <div className={style.buttons}>
        {problem?.actions?.some((action) => action.do === "restart-client") !== true && (
          <Button onClick={() => actions.clientDo("restart")} loading={actions.busy === "restart"}>
            Restart
          </Button>
        )}
        {!ended && (
          <Button
            onClick={() => actions.clientDo("stop")}
            loading={actions.busy === "stop"}
            disabled={client.state === "stopping"}
          >
            Stop
          </Button>
        )}
        <Button onClick={() => setRemoving(true)}>Remove</Button>
      </div>
      <Confirm
        opened={removing}
        title="Remove the client's container?"
        text={`The container on ${view.name} is stopped and removed, with what it keeps from round to round. The study goes on without this board until the client is restarted.`}
        yes="Remove it"
        onYes={async () => {
          await actions.clientDo("remove");
        }}
        onClose={() => setRemoving(false)}
      />
    </Card>
  );
};

const factsOf = (client: ClientView): readonly (readonly [string, string])[] => [
  ...(client.exitCode === undefined ? [] : ([["Exit code", String(client.exitCode)]] as const)),
  ...(client.oomKilled === true ? ([["Memory", "killed: out of memory"]] as const) : []),
  ...(client.startedAt === undefined ? [] : ([["Started", clock(client.startedAt)]] as const)),
  ["Restarts", client.restarts === 0 ? "none" : String(client.restarts)],
  ...(client.image === undefined ? [] : ([["Image", client.image]] as const)),
  ...(client.container === undefined ? [] : ([["Container", client.container]] as const)),
];

const Until = ({ at }: { readonly at: string }) => {
  const seconds = Math.ceil((Date.parse(at) - useNow()) / 1000);
  return seconds <= 0 ? "now" : `in ${duration(seconds)}`;
};

/** One that ended without a cause that the lab could name. */
const plainEnd = ({ exitCode }: ClientView): BoardProblem => ({
  code: "client-exited",
  title: exitCode === undefined ? "The client is not running" : `The client ended with code ${exitCode}`,
  cause: "Its last lines say more.",
  next: "Restart it when the cause is gone.",
});
