import { Button, Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { RunStatus } from "#contract/events.ts";
import type { RunRow, StudyRow } from "#contract/views.ts";
import { messageOf } from "#renderer/state/message-of.ts";
import { studyMatches } from "#renderer/state/study-matches.ts";
import { useStates } from "#renderer/state/use-states.ts";
import { day, plural } from "#renderer/ui/format.ts";
import { Problem, Small, scrollClass } from "#renderer/ui/page.tsx";
import { StatusPill } from "#renderer/ui/words.tsx";
import style from "./chooser.module.css";
import { type Chosen, isNothing, withRun, withStudy } from "./chosen.ts";

/** What a run that is not done says of itself. */
const RUN_WORDS: Readonly<Record<RunStatus, string>> = {
  waiting: "not started",
  running: "running",
  interrupted: "stopped",
  done: "done",
  failed: "failed",
};

interface ChooserProps {
  readonly rows: readonly StudyRow[];
  readonly from: Chosen;
  readonly onDone: (chosen: Chosen) => void;
  readonly onCancel?: () => void;
}

/** Selects whole studies, or single runs of them. */
export const Chooser = ({ rows, from, onDone, onCancel }: ChooserProps) => {
  const [chosen, setChosen] = useState(from);
  const [wanted, setWanted] = useState("");
  const shown = rows.filter((row) => studyMatches(row, wanted));
  const parts = [
    ...(chosen.studies.length > 0 ? [plural(chosen.studies.length, "study", "studies")] : []),
    ...(chosen.runs.length > 0 ? [plural(chosen.runs.length, "single run")] : []),
  ];
  return (
    <div>
      <div className={style.head}>
        <TextInput
          className={style.filter ?? ""}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
          placeholder="Name, data, model or algorithm"
          aria-label="Filter studies"
          data-autofocus
        />
        <Small>
          {shown.length === rows.length
            ? plural(rows.length, "study", "studies")
            : `${shown.length} of ${plural(rows.length, "study", "studies")}`}
        </Small>
      </div>
      <div className={`${scrollClass} ${style.list}`}>
        {shown.length === 0 ? (
          <p className={style.none}>No study matches. Try fewer words.</p>
        ) : (
          <ul>
            {shown.map((row) => (
              <Choice key={row.id} row={row} chosen={chosen} onChange={setChosen} />
            ))}
          </ul>
        )}
      </div>
      <div className={style.foot}>
        <span role="status">
          <Small>{parts.length === 0 ? "Nothing selected yet" : `${parts.join(" and ")} selected`}</Small>
        </span>
        {onCancel !== undefined && <Button onClick={onCancel}>Cancel</Button>}
        <Button variant="filled" disabled={isNothing(chosen)} onClick={() => onDone(chosen)}>
          Compare
        </Button>
      </div>
    </div>
  );
};

const Choice = ({
  row,
  chosen,
  onChange,
}: {
  readonly row: StudyRow;
  readonly chosen: Chosen;
  readonly onChange: (next: Chosen) => void;
}) => {
  const { client } = useStates();
  const [isOpen, setOpen] = useState(false);
  const [runs, setRuns] = useState<readonly RunRow[]>();
  const [problem, setProblem] = useState<string>();
  const isWhole = chosen.studies.includes(row.id);
  const some = runs?.filter(({ id }) => chosen.runs.includes(id)).length ?? 0;
  const open = async () => {
    setOpen(!isOpen);
    if (isOpen || runs !== undefined) return;
    setProblem(undefined);
    try {
      setRuns((await client.studies.get({ study: row.id })).study.runs);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <li>
      <div className={style.study}>
        <Checkbox
          checked={isWhole}
          indeterminate={!isWhole && some > 0}
          onChange={(event) => onChange(withStudy(chosen, row.id, event.currentTarget.checked, runs))}
          classNames={{ label: style.label ?? "" }}
          label={row.name}
          description={`${row.algorithms.map(titleOfAlgorithm).join(", ")} · ${row.model} on ${row.dataset} · ${plural(row.fleetSize, "device")} · ${plural(row.rounds, "round")} · ${plural(row.trials, "trial")} · ${day(row.startedAt ?? row.createdAt)}`}
        />
        <StatusPill status={row.status} />
        <Button
          size="compact-sm"
          aria-expanded={isOpen}
          aria-label={`${isOpen ? "Hide runs" : plural(row.runs, "run")} of ${row.name}`}
          onClick={() => void open()}
        >
          {isOpen ? "Hide runs" : plural(row.runs, "run")}
        </Button>
      </div>
      {isOpen && (
        <div className={style.runs}>
          {problem !== undefined && <Problem text={problem} />}
          {problem === undefined && runs === undefined && <p>Loading the runs …</p>}
          {runs?.map((run) => (
            <Checkbox
              key={run.id}
              size="xs"
              checked={isWhole || chosen.runs.includes(run.id)}
              onChange={(event) => onChange(withRun(chosen, run, event.currentTarget.checked, runs))}
              label={`${titleOfAlgorithm(run.algorithm)}, trial ${run.trial}${run.status === "done" ? "" : ` · ${RUN_WORDS[run.status]}`}`}
            />
          ))}
        </div>
      )}
    </li>
  );
};
