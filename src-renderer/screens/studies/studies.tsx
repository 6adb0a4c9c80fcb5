import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { metricWord } from "#contract/metrics.ts";
import { DEMO } from "#contract/presets.ts";
import type { StudyRow } from "#contract/views.ts";
import { studyMatches } from "#renderer/state/study-matches.ts";
import { useStartStudy } from "#renderer/state/use-start-study.ts";
import { useLab, useStudyList } from "#renderer/state/use-states.ts";
import { count, day, plural } from "#renderer/ui/format.ts";
import { metricValue } from "#renderer/ui/metric-text.ts";
import { Card, Empty, Page, Problem, Small, tableClass } from "#renderer/ui/page.tsx";
import { AlgorithmChip, StatusPill } from "#renderer/ui/words.tsx";
import style from "./studies.module.css";

export const StudiesScreen = () => {
  const { rows, problem } = useStudyList();
  const { start, busy, problem: startProblem } = useStartStudy();
  const [, navigate] = useLocation();
  const none = rows !== undefined && rows.length === 0;
  return (
    <Page
      title="Studies"
      subtitle={
        rows === undefined || none
          ? "Compare federated learning algorithms on the same devices, the same data and the same client draws."
          : summary(rows)
      }
      actions={
        none ? undefined : (
          <>
            <Button onClick={() => start(DEMO)} loading={busy}>
              Run the demo
            </Button>
            <Button variant="filled" onClick={() => navigate("/new")}>
              New study
            </Button>
          </>
        )
      }
    >
      {startProblem !== undefined && <Problem text={startProblem} />}
      {problem !== undefined && <Problem text={`The studies could not be loaded. ${problem}`} />}
      {none && (
        <Card>
          <Empty
            title="No studies yet"
            text="The demo trains FedAvg and FedNTD on this computer, with four virtual devices and real images. It takes about half a minute, and you can watch every round."
          >
            <Button variant="filled" size="md" onClick={() => start(DEMO)} loading={busy}>
              Run the demo
            </Button>
            <Button size="md" onClick={() => navigate("/new")}>
              New study
            </Button>
          </Empty>
        </Card>
      )}
      {rows !== undefined && rows.length > 0 && <StudyTable rows={rows} />}
    </Page>
  );
};

const summary = (rows: readonly StudyRow[]): string => {
  const running = rows.filter((row) => row.status === "running").length;
  const stopped = rows.filter((row) => row.status === "interrupted").length;
  const parts = [plural(rows.length, "study", "studies")];
  if (running > 0) parts.push(`${running} running`);
  if (stopped > 0) parts.push(`${stopped} stopped and can be resumed`);
  return parts.join(" · ");
};

/** A list that fits on a screen needs no filter. */
const MANY = 10;
/** Lines of results that a row has at most. */
const MOST_RESULTS = 4;

const StudyTable = ({ rows }: { readonly rows: readonly StudyRow[] }) => {
  const activity = useLab((state) => state.activity);
  const [wanted, setWanted] = useState("");
  const shown = rows.filter((row) => studyMatches(row, wanted));
  return (
    <Card>
      {rows.length > MANY && (
        <TextInput
          className={style.filter ?? ""}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          placeholder="Name, data, model or algorithm"
          aria-label="Filter studies"
          {...(wanted.trim() === "" ? {} : { description: `${shown.length} of ${rows.length}` })}
        />
      )}
      <table className={tableClass}>
        <thead>
          <tr>
            <th>Study</th>
            <th>State</th>
            <th>Progress</th>
            <th>Result, last round</th>
            <th>Started</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.id} data-link>
              <th scope="row" className={style.name}>
                <Link href={`/studies/${row.id}`}>{row.name}</Link>
                <br />
                <Small>
                  {row.model} on {row.dataset} · {plural(row.fleetSize, "device")}
                </Small>
              </th>
              <td>
                <StatusPill id={row.id} status={row.status} activity={activity} />
              </td>
              <td>
                <Progress row={row} />
              </td>
              <td>
                <Results row={row} />
              </td>
              <td data-nowrap>{day(row.startedAt ?? row.createdAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
};

/** An algorithm each; where there are many, the first few and how many more. */
const Results = ({ row: { results, metric } }: { readonly row: StudyRow }) => {
  const shown = results.length > MOST_RESULTS ? results.slice(0, MOST_RESULTS - 1) : results;
  return (
    <>
      {shown.map(({ algorithm, value, n }) => (
        <div key={algorithm} className={style.result}>
          <AlgorithmChip name={algorithm} />
          <span>
            {metricValue(metric, value)}
            {metric.unit !== "%" && value !== null && <Small> {metricWord(metric)}</Small>}
            {n > 1 && <Small> mean of {n}</Small>}
          </span>
        </div>
      ))}
      {shown.length < results.length && <Small>and {results.length - shown.length} more</Small>}
    </>
  );
};

const Progress = ({ row }: { readonly row: StudyRow }) => {
  const all = row.rounds * row.runs;
  return (
    <div className={style.progress}>
      <progress max={all} value={row.status === "done" ? all : row.roundsDone} aria-label="Rounds done" />
      <Small>
        {count(row.roundsDone)} of {plural(all, "round")}, {row.runsDone} of {plural(row.runs, "run")}
      </Small>
    </div>
  );
};
