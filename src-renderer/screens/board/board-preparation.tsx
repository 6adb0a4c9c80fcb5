import type { BoardAction, BoardView } from "#contract/boards.ts";
import { useLiveRound } from "#renderer/state/use-states.ts";
import { Card, Problem, Warning } from "#renderer/ui/page.tsx";
import { StartWithout } from "#renderer/ui/start-without.tsx";
import { SetUp } from "./set-up.tsx";

/** What remains to be done before the board can take part; once it is ready, the setup stands beside its hardware. */
export const BoardPreparation = ({
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
    <Card title="Setup" note={view.plan.running ? "in progress" : "needed before the board can take part"}>
      <SetUp view={view} plan={view.plan} onAction={onAction} />
    </Card>
  );
};

/** The board's study waits for devices: it can start without them. */
export const StudyWaits = ({ study }: { readonly study: string | undefined }) => {
  const { study: running, live } = useLiveRound();
  const waiting = live?.waiting;
  if (study === undefined || running !== study || waiting?.stage !== "joining") return null;
  return (
    <Warning
      text={`Its study is waiting for ${waiting.for}.`}
      action={<StartWithout study={study} waiting={waiting} />}
    />
  );
};
