import { Button } from "@mantine/core";
import { lazy, Suspense, useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import type { Comparison, StudyRow } from "#contract/views.ts";
import { useNow, useStudyList } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { type Address, readAddress, writeAddress } from "./address.ts";
import { Choose } from "./choose.tsx";
import { Chooser } from "./chooser.tsx";
import { isNothing, NOTHING, withoutRuns } from "./chosen.ts";
import style from "./compare.module.css";
import { lastRoundOf, seriesOfRows } from "./compare-series.ts";
import { Curves } from "./curves.tsx";
import { Differences, Fairness } from "./fairness.tsx";
import { sentenceOf, titleOf } from "./figures.ts";
import { ResultTable } from "./result-table.tsx";
import { useComparison } from "./use-comparison.ts";

const ExportDialog = lazy(async () => ({ default: (await import("./export-dialog.tsx")).ExportDialog }));

/** Which algorithm is better, by how much, and whether the comparison is fair. The page's address is its state. */
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
            Choose runs
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
              <Button onClick={() => go(NOTHING)}>Choose other runs</Button>
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
      <Dialog opened={isChoosing} onClose={() => setChoosing(false)} title="Choose what to compare" size="xl">
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

/** After two seconds the page says what it is waiting for. */
const Awaited = () => {
  const now = useNow();
  const [since] = useState(() => Date.now());
  return now - since < 2000 ? null : (
    <Card>
      <Empty title="Loading the comparison" text="The lab is reading every recorded round." />
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
