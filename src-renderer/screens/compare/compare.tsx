import { Button } from "@mantine/core";
import { lazy, Suspense, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { DEMO } from "#contract/presets.ts";
import type { Comparison, StudyRow } from "#contract/views.ts";
import { useStart } from "#renderer/screens/studies/studies.tsx";
import { useNow, useStudyList } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { type Address, readAddress, writeAddress } from "./address.ts";
import { Chooser } from "./chooser.tsx";
import { type Chosen, isNothing, NOTHING, withoutRuns } from "./chosen.ts";
import style from "./compare.module.css";
import { lastRoundOf, seriesOfRows } from "./compare-series.ts";
import { Curves } from "./curves.tsx";
import { Differences, Fairness } from "./fairness.tsx";
import { sentenceOf, titleOf } from "./figures.ts";
import { ResultTable } from "./result-table.tsx";
import { useComparison } from "./use-comparison.ts";

const ExportDialog = lazy(async () => ({ default: (await import("./export-dialog.tsx")).ExportDialog }));

/** Which algorithm is better, by how much, and whether that is a fair question. Its address is its state. */
export const CompareScreen = () => {
  const address = readAddress(useSearch());
  const { rows, problem } = useStudyList();
  const [, navigate] = useLocation();
  const go = (next: Partial<Address>, replace = false) =>
    navigate(writeAddress({ ...address, ...next }), { replace });
  return isNothing(address) ? (
    <Choose rows={rows} problem={problem} onDone={(chosen) => go(chosen)} />
  ) : (
    <Compared address={address} list={rows} go={go} />
  );
};

/** Nothing is chosen yet. */
const Choose = ({
  rows,
  problem,
  onDone,
}: {
  readonly rows: readonly StudyRow[] | undefined;
  readonly problem: string | undefined;
  readonly onDone: (chosen: Chosen) => void;
}) => {
  const { start, busy, problem: startProblem } = useStart();
  return (
    <Page
      title="Compare"
      subtitle="Algorithms of one study, or the same algorithm in several: curves, a table, and whether the comparison is fair."
    >
      {startProblem !== undefined && <Problem text={startProblem} />}
      {problem !== undefined && <Problem text={`The studies could not be loaded. ${problem}`} />}
      {rows !== undefined && (
        <Card {...(rows.length === 0 ? {} : { title: "What to compare" })}>
          {rows.length === 0 ? (
            <Empty
              title="Nothing to compare yet"
              text="The demo trains FedAvg and FedNTD on four virtual devices with real images, on this computer. It takes half a minute; then you can compare the two here."
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

interface ComparedProps {
  readonly address: Address;
  readonly list: readonly StudyRow[] | undefined;
  readonly go: (next: Partial<Address>, replace?: boolean) => void;
}

const Compared = ({ address, list, go }: ComparedProps) => {
  const { comparison, problem, isLoading, again } = useComparison(address, list);
  const [isChoosing, setChoosing] = useState(false);
  const choose = () => setChoosing(true);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string) =>
    setHidden((before) => {
      const others = [...before].filter((other) => other !== key);
      return new Set(before.has(key) ? others : [...others, key]);
    });
  return (
    <Page
      title={comparison === undefined ? "Compare" : titleOf(comparison.rows)}
      {...(comparison === undefined ? {} : { subtitle: sentenceOf(comparison, list ?? []) })}
      actions={
        <>
          <Button onClick={choose} disabled={list === undefined}>
            Add runs
          </Button>
          <Button
            id="export-comparison"
            variant="filled"
            disabled={comparison === undefined}
            onClick={() => go({ exporting: true })}
          >
            Export
          </Button>
        </>
      }
    >
      {problem !== undefined && (
        <Problem
          text={`These runs could not be compared. ${problem}`}
          action={
            <div className={style.tools}>
              <Button onClick={again}>Try again</Button>
              {typeof address.at === "number" && (
                <Button onClick={() => go({ at: "last" })}>Show the last round</Button>
              )}
              <Button onClick={() => go(NOTHING)}>Choose others</Button>
            </div>
          }
        />
      )}
      {comparison === undefined && problem === undefined && <Awaited />}
      {comparison !== undefined && problem === undefined && (
        <div aria-busy={isLoading} className={isLoading ? style.busy : undefined}>
          <Cards comparison={comparison} address={address} go={go} hidden={hidden} onToggle={toggle} />
        </div>
      )}
      <Dialog opened={isChoosing} onClose={() => setChoosing(false)} title="What to compare" size="xl">
        <Chooser
          rows={list ?? []}
          from={address}
          onCancel={() => setChoosing(false)}
          onDone={({ studies, runs }) => {
            setChoosing(false);
            go({ studies, runs });
          }}
        />
      </Dialog>
      {comparison !== undefined && (
        <Suspense fallback={null}>
          <ExportDialog
            opened={address.exporting}
            address={address}
            comparison={comparison}
            hidden={hidden}
            onClose={() => go({ exporting: false })}
          />
        </Suspense>
      )}
    </Page>
  );
};

/** Past two seconds the page says what it waits for. */
const Awaited = () => {
  const now = useNow();
  const [since] = useState(() => Date.now());
  return now - since < 2000 ? null : (
    <Card>
      <Empty title="Reading the rounds" text="The lab puts the table together from every recorded round." />
    </Card>
  );
};

interface CardsProps extends Omit<ComparedProps, "list"> {
  readonly comparison: Comparison;
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (key: string) => void;
}

const Cards = ({ comparison, address, go, hidden, onToggle }: CardsProps) => {
  const series = useMemo(() => seriesOfRows(comparison, comparison.metric), [comparison]);
  return (
    <div className={style.cards}>
      <div className={style.cols}>
        <Fairness comparison={comparison} />
        <Curves
          comparison={comparison}
          series={series}
          hidden={hidden}
          onMetric={(metric) => go({ metric })}
        />
      </div>
      <ResultTable
        comparison={comparison}
        hidden={hidden}
        lastRound={lastRoundOf(series)}
        onToggle={onToggle}
        onAt={(at, instead) => go({ at }, instead)}
        onRemove={(row) => {
          const runsOf = (rows: Comparison["rows"]) =>
            rows.flatMap(({ cells }) => cells.flatMap(({ run }) => (run === undefined ? [] : [run])));
          const { studies, runs } = withoutRuns(
            address,
            row.study,
            runsOf([row]),
            runsOf(comparison.rows.filter(({ study }) => study === row.study)),
          );
          go({ studies, runs });
        }}
      />
      <Differences comparison={comparison} />
    </div>
  );
};
