import { Button } from "@mantine/core";
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { metricHeading } from "#contract/metrics.ts";
import { taskOf } from "#contract/tasks/tasks.ts";
import type { StudyView } from "#contract/views.ts";
import { ChartTools } from "#renderer/charts/chart-tools.tsx";
import { CurveTable } from "#renderer/charts/curve-table.tsx";
import { RoundChart } from "#renderer/charts/round-chart.tsx";
import { useLab, useNow, useStates, useStudy } from "#renderer/state/use-states.ts";
import { Card, Empty, Page, Problem } from "#renderer/ui/page.tsx";
import { StatusPill } from "#renderer/ui/words.tsx";
import { Devices } from "./devices.tsx";
import { Log } from "./log.tsx";
import { progressOf } from "./progress.ts";
import { Runs } from "./runs.tsx";
import { Settings } from "./settings.tsx";
import style from "./study.module.css";
import { StudyActions } from "./study-actions.tsx";
import { metricsOfStudy, seriesOf } from "./study-series.ts";
import { ThisRound } from "./this-round.tsx";

/** One study: is it running, how good is its model, which devices are slow. */
export const StudyScreen = ({ id }: { readonly id: string }) => {
  const states = useStates();
  const { view, problem } = useStudy(id);
  const [, navigate] = useLocation();
  if (view === undefined) {
    return (
      <Page title="Study">
        {problem === undefined ? (
          <Card>
            <Empty title="Loading" text="The lab is reading the study's record." />
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
  const [chosen, setChosen] = useState<string>();
  const [asTable, setAsTable] = useState(false);
  const { study, runs, curves } = view;
  const metrics = useMemo(
    () => metricsOfStudy({ study, curves, classes: view.classes }),
    [study, curves, view.classes],
  );
  const metric = metrics.find(({ id }) => id === chosen) ?? metrics[0]!;
  const own = taskOf(study.task).metrics as readonly string[];
  const reported = metrics.filter(({ id }) => !own.includes(id));
  // Progress within a round leaves these as they are: the chart is drawn again only when a round ends.
  const series = useMemo(
    () => seriesOf(study.algorithms, runs, curves, metric),
    [study.algorithms, runs, curves, metric],
  );
  const { sentence } = progressOf(view, now, activity);
  return (
    <Page
      title={view.name}
      subtitle={
        <>
          <StatusPill id={view.id} status={view.status} activity={activity} /> {sentence}
        </>
      }
      actions={<StudyActions view={view} />}
    >
      <Said study={view.id} />
      <div className={style.cols}>
        <Card
          title={metric.unit === "%" ? metric.title : metricHeading(metric)}
          note={
            study.evaluation.central && own.includes(metric.id)
              ? "on the server, whole test set"
              : "mean over the devices"
          }
          aside={
            <ChartTools
              metrics={metrics}
              metric={metric}
              onMetric={setChosen}
              asTable={asTable}
              onTable={setAsTable}
            />
          }
        >
          <RoundChart
            metric={metric}
            title={`${metric.title} per round of ${view.name}`}
            series={series}
            rounds={view.rounds}
          />
          {asTable && <CurveTable metric={metric} series={series} />}
        </Card>
        <ThisRound view={view} metrics={metrics} />
      </div>
      <Devices view={view} />
      <div className={style.pair}>
        <Runs runs={runs} curves={curves} rounds={view.rounds} primary={metrics[0]!} reported={reported} />
        <Settings study={study} engine={view.engine} datasetSha={view.datasetSha} />
      </div>
      <Log log={view.log} runs={runs} metrics={metrics} />
    </Page>
  );
};

/** A problem with this study that no event reports, such as why it could not start, and what to do. */
const Said = ({ study }: { readonly study: string }) => {
  const said = useLab((state) => state.said);
  const last = said.findLast((notice) => notice.study === study && notice.problem);
  return last === undefined ? null : <Problem text={last.message} />;
};
