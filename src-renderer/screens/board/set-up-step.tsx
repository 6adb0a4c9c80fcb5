import { Button, Checkbox } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { BoardAction, StepView } from "#contract/boards.ts";
import { useNow } from "#renderer/state/use-states.ts";
import { duration, percent } from "#renderer/ui/format.ts";
import style from "./board.module.css";
import { BoardProblemBox, Commands } from "./board-problem.tsx";
import { STEP_WORDS } from "./board-words.ts";

/** One step: its state, what it is for, what will be run, what comes out, and the way on where it failed. */
export const SetUpStep = ({
  step,
  running,
  agreed,
  asked,
  onAgree,
  onAction,
  busy,
  onUndo,
}: {
  readonly step: StepView;
  /** Something runs now. */
  readonly running: boolean;
  readonly agreed: boolean;
  /** Somebody wants to begin: what is lacking is marked. */
  readonly asked: boolean;
  readonly onAgree: (yes: boolean) => void;
  readonly onAction: (action: BoardAction) => void;
  readonly busy: string | undefined;
  readonly onUndo: () => void;
}) => {
  const { state, consent, commands, problem } = step;
  const open = state === "open" || state === "blocked" || state === "failed";
  return (
    <li {...(state === "running" ? { "aria-current": "step" as const } : {})}>
      <span className={style.mark} data-state={state} aria-hidden>
        {STEP_WORDS[state].mark}
      </span>
      <div>
        <div className={style.stepHead}>
          <b>{step.title}</b>
          <span>
            {state === "running" && step.fraction !== undefined && `${percent(step.fraction, 0)} · `}
            {STEP_WORDS[state].word}
            <Took step={step} />
          </span>
        </div>
        {step.text !== "" && <p>{step.text}</p>}
        {state === "running" && (
          <>
            <progress
              className={style.bar}
              aria-label={step.title}
              {...(step.fraction === undefined ? {} : { max: 1, value: step.fraction })}
            />
            <Output lines={step.output} />
          </>
        )}
        {state === "failed" && problem !== undefined && (
          <BoardProblemBox problem={problem} onAction={onAction} busy={busy} hide={["retry"]} />
        )}
        {open && !running && consent !== undefined && (
          <Checkbox
            className={style.consent ?? ""}
            name={`agree ${step.id}`}
            checked={agreed}
            onChange={(event) => onAgree(event.currentTarget.checked)}
            label={consent}
            error={asked && !agreed ? "Not agreed to yet." : undefined}
          />
        )}
        {(commands.length > 0 || (step.output.length > 0 && state !== "running")) && (
          <details className={style.more}>
            <summary>{commands.length > 0 ? "Show the commands" : "Show the output"}</summary>
            {commands.length > 0 && (
              <Commands
                lines={commands}
                what="the commands"
                label={`Commands of: ${step.title}${step.needsSudo ? ", with administrator rights" : ""}`}
              />
            )}
            {step.output.length > 0 && state !== "running" && <Output lines={step.output} />}
          </details>
        )}
        {state === "done" && step.canUndo && !running && (
          <Button
            size="compact-xs"
            variant="subtle"
            mt={4}
            onClick={onUndo}
            aria-label={`Undo: ${step.title}`}
          >
            Undo
          </Button>
        )}
      </div>
    </li>
  );
};

const Took = ({ step }: { readonly step: StepView }) => {
  if (step.state === "running" && step.startedAt !== undefined) return <Since at={step.startedAt} />;
  return step.seconds === undefined || step.seconds < 1 ? null : ` · ${duration(step.seconds)}`;
};

const Since = ({ at }: { readonly at: string }) => {
  const seconds = Math.max(0, Math.floor((useNow() - Date.parse(at)) / 1000));
  return ` · ${seconds < 10 ? `${seconds} s` : duration(seconds)}`;
};

/** The last lines; it stays at the newest unless somebody scrolls up. */
const Output = ({ lines }: { readonly lines: readonly string[] }) => {
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are the reason
  useEffect(() => {
    if (box.current !== null && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  if (lines.length === 0) return null;
  return (
    <section
      ref={box}
      className={style.output}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what is longer than its place is scrolled with the keyboard, too
      tabIndex={0}
      aria-label="Output"
      onScroll={(event) => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        atEnd.current = scrollHeight - clientHeight - scrollTop < 24;
      }}
    >
      <pre>{lines.join("\n")}</pre>
    </section>
  );
};
