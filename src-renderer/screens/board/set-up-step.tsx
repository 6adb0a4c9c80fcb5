import { Button, Checkbox } from "@mantine/core";
import type { BoardAction, StepView } from "#contract/boards.ts";
import { Commands } from "#renderer/ui/commands.tsx";
import { Disclosure } from "#renderer/ui/disclosure.tsx";
import { Elapsed } from "#renderer/ui/elapsed.tsx";
import { duration, percent } from "#renderer/ui/format.ts";
import { ProgressBar } from "#renderer/ui/progress-bar.tsx";
import { StepMark } from "#renderer/ui/step-mark.tsx";
import { BoardProblemBox } from "./board-problem-box.tsx";
import { STEP_WORDS } from "./board-words.ts";
import style from "./set-up.module.css";
import { SetUpOutput } from "./set-up-output.tsx";

/** One step: its state, what it does, its commands, its output, and what to do if it failed. */
export const SetUpStep = ({
  step,
  running,
  agreed,
  asked,
  onAgree,
  onAction,
  onUndo,
}: {
  readonly step: StepView;
  /** Some step runs now. */
  readonly running: boolean;
  readonly agreed: boolean;
  /** The person tried to start: mark what is missing. */
  readonly asked: boolean;
  readonly onAgree: (yes: boolean) => void;
  readonly onAction: (action: BoardAction) => void;
  readonly onUndo: () => void;
}) => {
  const { state, consent, problem } = step;
  const isOpen = state === "open" || state === "blocked" || state === "failed";
  return (
    <li {...(state === "running" ? { "aria-current": "step" as const } : {})}>
      <StepMark state={state} />
      <div className={style.step}>
        <div className={style.head}>
          <b>{step.title}</b>
          <span>
            {state === "running" && step.fraction !== undefined && `${percent(step.fraction, 0)} · `}
            {STEP_WORDS[state]}
            <StepTime step={step} />
          </span>
        </div>
        {step.text !== "" && <p className={style.about}>{step.text}</p>}
        {state === "running" && (
          <>
            <ProgressBar label={step.title} fraction={step.fraction} />
            <SetUpOutput lines={step.output} />
          </>
        )}
        {state === "failed" && problem !== undefined && (
          <BoardProblemBox problem={problem} onAction={onAction} hide={["retry"]} />
        )}
        {isOpen && !running && consent !== undefined && (
          <Checkbox
            mt={4}
            name={`agree ${step.id}`}
            checked={agreed}
            onChange={(event) => onAgree(event.currentTarget.checked)}
            label={consent}
            error={asked && !agreed ? "This step needs your consent." : undefined}
          />
        )}
        <StepDetails step={step} />
        {state === "done" && step.canUndo && !running && (
          <div>
            <Button
              size="compact-xs"
              variant="subtle"
              ml={-8}
              onClick={onUndo}
              aria-label={`Undo: ${step.title}`}
            >
              Undo
            </Button>
          </div>
        )}
      </div>
    </li>
  );
};

/** Its commands and, once it is over, its output. */
const StepDetails = ({
  step: { title, commands, needsSudo, output, state },
}: {
  readonly step: StepView;
}) => {
  const showsOutput = output.length > 0 && state !== "running";
  if (commands.length === 0 && !showsOutput) return null;
  return (
    <Disclosure summary={commands.length > 0 ? "Show commands" : "Show output"}>
      {commands.length > 0 && (
        <Commands
          lines={commands}
          what="the commands"
          label={`Commands of the step ${title}${needsSudo ? ", run with administrator rights" : ""}`}
        />
      )}
      {showsOutput && <SetUpOutput lines={output} />}
    </Disclosure>
  );
};

const StepTime = ({ step }: { readonly step: StepView }) => {
  if (step.state === "running" && step.startedAt !== undefined)
    return (
      <>
        {" "}
        · <Elapsed since={Date.parse(step.startedAt)} />
      </>
    );
  return step.seconds === undefined || step.seconds < 1 ? null : ` · ${duration(step.seconds)}`;
};
