import { Button } from "@mantine/core";
import type { BoardView } from "#contract/boards.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { ago } from "#renderer/ui/format.ts";
import { Card, Empty } from "#renderer/ui/page.tsx";
import { BoardFactsList } from "./board-facts-list.tsx";
import type { BoardActions } from "./use-board-actions.ts";

/** The board's hardware and system, as the lab last read them. */
export const BoardHardware = ({
  view: { facts, state },
  actions,
}: {
  readonly view: BoardView;
  readonly actions: BoardActions;
}) => (
  <Card title="Hardware and system" note={facts !== undefined && <CheckedAt at={facts.at} />}>
    {facts === undefined ? (
      <Empty
        title="Not checked yet"
        text="The lab reads the board's model, memory and Docker when it connects."
      >
        {state === "online" && (
          <Button onClick={actions.probe} loading={actions.busy === "probe"}>
            Check now
          </Button>
        )}
      </Empty>
    ) : (
      <BoardFactsList facts={facts} />
    )}
  </Card>
);

const CheckedAt = ({ at }: { readonly at: string }) => `checked ${ago(at, useNow(5000))}`;
