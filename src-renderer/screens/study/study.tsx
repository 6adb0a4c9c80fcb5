import { Button, SegmentedControl } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import type { StudyView } from "#contract/views.ts";
import { RoundChart } from "#renderer/charts/round-chart.tsx";
import type { Metric } from "#renderer/charts/series.ts";
import { useLab, useNow, useStates, useStudy } from "#renderer/state/use-states.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { StatusPill } from "#renderer/ui/words.tsx";
import { Devices } from "./devices.tsx";
import { Log } from "./log.tsx";
import { progressOf } from "./progress.ts";
import style from "./study.module.css";
import { StudyActions } from "./study-actions.tsx";
import { chanceOf, seriesOf } from "./study-series.ts";
import { ThisRound } from "./this-round.tsx";

/** One study: is it running, how good is it, who is late. */
export const StudyScreen = ({ id }: { readonly id: string }) => {
  const states = useStates();
  const { view, problem } = useStudy(id);
  const [, navigate] = useLocation();
  if (view === undefined) {
    return (
      <Page title="Study">
        {problem === undefined ? (
          <Card>
            <Empty title="Loading" text="Reading the study's record." />
          </Card>
        ) : (
          <Problem
            text={`This study could not be loaded. ${problem}`}
            action={
              <>
                <Button onClick={() => void states.openStudy(id)}>Try again</Button>
                <Button onClick={() => navigate("/")}>All studies</Button>
              </>
            }
          />
        )}
      </Page>
    );
  }
  return <StudyPage view={view} />;
};

const StudyPage = ({ view }: { readonly view: StudyView }) => {
  const activity = useLab((state) => state.activity);
  const now = useNow();
  const [metric, setMetric] = useState<Metric>("accuracy");
  const series = useMemo(
    () => seriesOf(view.study.algorithms, view.runs, view.curves, metric),
    [view, metric],
  );
  const progress = progressOf(view, now);
  return (
    <Page
      title={view.name}
      subtitle={
        <>
          <StatusPill id={view.id} status={view.status} activity={activity} /> {progress.sentence}
        </>
      }
      actions={<StudyActions view={view} />}
    >
      <div className={style.cols}>
        <Card
          title={metric === "accuracy" ? "Accuracy" : "Loss"}
          note={view.study.evaluation.central ? "central, on the whole test set" : "mean over the devices"}
          aside={
            <SegmentedControl
              size="xs"
              value={metric}
              onChange={(value) => setMetric(value as Metric)}
              data={[
                { value: "accuracy", label: "Accuracy" },
                { value: "loss", label: "Loss" },
              ]}
              aria-label="What the chart shows"
            />
          }
        >
          <RoundChart
            metric={metric}
            title={`${metric === "accuracy" ? "Accuracy" : "Loss"} per round of ${view.name}`}
            series={series}
            rounds={view.rounds}
            chance={metric === "accuracy" ? chanceOf(view) : null}
          />
        </Card>
        <ThisRound view={view} />
      </div>
      <Devices view={view} />
      <Log view={view} />
      <p>
        <Link href={`/compare?studies=${view.id}`}>Compare and export</Link>
      </p>
    </Page>
  );
};
