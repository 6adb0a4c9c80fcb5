import { VisuallyHidden } from "@mantine/core";
import { useRef, useState } from "react";
import { useBoard } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { Elapsed } from "#renderer/ui/elapsed.tsx";
import { duration } from "#renderer/ui/format.ts";
import { StepMark } from "#renderer/ui/step-mark.tsx";
import {
  type Adding,
  announcementOf,
  STAGE_WORDS,
  type Stage,
  type StageLine,
  stageLines,
  stageOf,
} from "./add-board.ts";
import style from "./add-board-dialog.module.css";
import { AddBoardStage } from "./add-board-stage.tsx";
import { StageBox } from "./stage-box.tsx";

/** Adds a board in steps; each says what it waits for. */
export const AddBoardDialog = ({
  opened,
  taken,
  returnTo,
  onClose,
}: {
  readonly opened: boolean;
  /** Names of other devices. */
  readonly taken: readonly string[];
  readonly returnTo: string;
  readonly onClose: () => void;
}) => {
  // Until the board is added, a click outside must not lose what was typed, nor close the question about its key.
  const [added, setAdded] = useState(false);
  return (
    <Dialog
      opened={opened}
      title="Add a board"
      size="820px"
      onClose={() => {
        setAdded(false);
        onClose();
      }}
      returnTo={returnTo}
      keepOnClickOutside={!added}
    >
      <AddBoardSteps taken={taken} onClose={onClose} onAdded={setAdded} />
    </Dialog>
  );
};

const AddBoardSteps = ({
  taken,
  onClose,
  onAdded,
}: {
  readonly taken: readonly string[];
  readonly onClose: () => void;
  readonly onAdded: (added: boolean) => void;
}) => {
  const [adding, setAdding] = useState<Adding>({ at: "address" });
  const { view, problem } = useBoard(adding.at === "added" ? adding.name : undefined);
  const stage = stageOf(adding, view);
  const change = (next: Adding) => {
    setAdding(next);
    onAdded(next.at === "added");
  };
  return (
    <div className={style.adding}>
      <StageList
        lines={stageLines(adding, view)}
        current={stage}
        timed={adding.at === "address" ? undefined : stage}
      />
      <StageBox className={style.stage} step={focusStep(adding, stage)}>
        <AddBoardStage
          adding={adding}
          view={view}
          viewProblem={problem}
          taken={taken}
          onChange={change}
          onClose={onClose}
        />
      </StageBox>
      <VisuallyHidden role="status">{announcementOf(adding, view)}</VisuallyHidden>
    </div>
  );
};

/** Changes whenever the focus has to move on: with the step, another key, or a problem. */
const focusStep = (adding: Adding, stage: Stage): string => {
  const key = adding.at === "host-key" ? adding.reached.key.fingerprint : "";
  const failed = "problem" in adding && adding.problem !== undefined;
  return `${adding.at} ${key} ${stage} ${failed}`;
};

const STAGE_STATES: Readonly<Record<StageLine["state"], string>> = {
  open: "to do",
  running: "in progress",
  done: "done",
  failed: "failed",
};

const StageList = ({
  lines,
  current,
  timed,
}: {
  readonly lines: readonly StageLine[];
  readonly current: Stage;
  /** The stage whose time runs. */
  readonly timed: Stage | undefined;
}) => {
  const times = useStageTimes(timed);
  return (
    <ol className={style.stages} aria-label="Steps">
      {lines.map(({ stage, state, note }) => (
        <li key={stage} {...(stage === current ? { "data-now": true, "aria-current": "step" as const } : {})}>
          <StepMark state={state} label={STAGE_STATES[state]} />
          <span>
            {STAGE_WORDS[stage]}
            <small>
              {stage === current && state === "running" ? (
                <Elapsed since={times.since} />
              ) : (
                (note ?? (state === "done" ? times.text(stage) : ""))
              )}
            </small>
          </span>
        </li>
      ))}
    </ol>
  );
};

/** How long each stage took. */
const useStageTimes = (stage: Stage | undefined) => {
  const times = useRef<Partial<Record<Stage, { from: number; to?: number }>>>({});
  const before = useRef<Stage>(undefined);
  if (before.current !== stage && stage !== undefined) {
    const now = Date.now();
    const last = before.current === undefined ? undefined : times.current[before.current];
    if (last !== undefined) last.to = now;
    times.current[stage] = { from: now };
    before.current = stage;
  }
  return {
    /** When the current stage began; milliseconds of Date.now(). */
    since: (stage === undefined ? undefined : times.current[stage]?.from) ?? Date.now(),
    /** "4 s"; empty for a stage that took no time worth telling. */
    text(one: Stage): string {
      const time = times.current[one];
      return time?.to === undefined || time.to - time.from < 1000
        ? ""
        : duration(Math.round((time.to - time.from) / 1000));
    },
  };
};
