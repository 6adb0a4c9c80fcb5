import { Button } from "@mantine/core";
import { DEMO } from "#contract/presets.ts";
import type { StudyRow } from "#contract/views.ts";
import { useStartStudy } from "#renderer/state/use-start-study.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { Chooser } from "./chooser.tsx";
import { type Chosen, NOTHING } from "./chosen.ts";

/** The page while nothing is selected. */
export const Choose = ({
  rows,
  problem,
  onDone,
}: {
  readonly rows: readonly StudyRow[] | undefined;
  readonly problem: string | undefined;
  readonly onDone: (chosen: Chosen) => void;
}) => {
  const { start, busy, problem: startProblem } = useStartStudy();
  return (
    <Page
      title="Compare"
      subtitle="Compare algorithms within a study or across studies: curves, a results table and a fairness check."
    >
      {startProblem !== undefined && <Problem text={startProblem} />}
      {problem !== undefined && <Problem text={`The studies could not be loaded. ${problem}`} />}
      {rows !== undefined && (
        <Card {...(rows.length === 0 ? {} : { title: "Choose what to compare" })}>
          {rows.length === 0 ? (
            <Empty
              title="Nothing to compare yet"
              text="The demo trains FedAvg and FedNTD on this computer, with four virtual devices and real images. After about half a minute you can compare the two here."
            >
              <Button variant="filled" size="md" onClick={() => start(DEMO)} loading={busy}>
                Run the demo
              </Button>
            </Empty>
          ) : (
            <Chooser rows={rows} from={NOTHING} onDone={onDone} />
          )}
        </Card>
      )}
    </Page>
  );
};
