import { useEffect, useRef, useState } from "react";
import style from "#renderer/screens/board/board.module.css";
import { useBoard, useNow } from "#renderer/state/use-states.ts";
import { Dialog } from "#renderer/ui/dialog.tsx";
import { duration } from "#renderer/ui/format.ts";
import { type Adding, announcementOf, STAGE_WORDS, type Stage, stageLines, stageOf } from "./add-board.ts";
import { AddBoardStage } from "./add-board-stage.tsx";

/** A board is added in steps, each of which says what it waits for. */
export const AddBoardDialog = ({
  opened,
  taken,
  onClose,
}: {
  readonly opened: boolean;
  /** Names that others have. */
  readonly taken: readonly string[];
  readonly onClose: () => void;
}) => {
  // What was typed is not lost to a click beside the dialog; the question for the fingerprint least of all.
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
      returnTo="add-device"
      keepOnClickOutside={!added}
    >
      <Steps taken={taken} onClose={onClose} onAdded={setAdded} />
    </Dialog>
  );
};

const MARKS = { open: "○", running: "◔", done: "✓", failed: "✕" } as const;
const WORDS = { open: "to come", running: "under way", done: "done", failed: "failed" } as const;

const Steps = ({
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
  const took = useTimes(adding.at === "address" ? undefined : stage);
  const box = useRef<HTMLDivElement>(null);
  const change = (next: Adding) => {
    setAdding(next);
    onAdded(next.at === "added");
  };
  const mode = `${adding.at} ${adding.at === "host-key" ? adding.reached.key.fingerprint : ""} ${stage} ${"problem" in adding && adding.problem !== undefined}`;
  // After each step the keyboard goes on at what it wants next.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the step is the reason
  useEffect(() => {
    const field = box.current?.querySelector<HTMLElement>("[data-stage-focus]");
    (field?.matches("input, button, h3")
      ? field
      : (field?.querySelector<HTMLElement>("input") ?? box.current)
    )?.focus();
  }, [mode]);
  return (
    <div className={style.adding}>
      <ol className={style.stages} aria-label="Steps">
        {stageLines(adding, view).map(({ stage: one, state, note }) => (
          <li key={one} {...(one === stage ? { "data-now": true, "aria-current": "step" as const } : {})}>
            <span className={style.mark} data-state={state} role="img" aria-label={WORDS[state]}>
              {MARKS[state]}
            </span>
            <span>
              {STAGE_WORDS[one]}
              <small>
                {one === stage && state === "running" ? (
                  <Elapsed since={took.since} />
                ) : (
                  (note ?? (state === "done" ? took.text(one) : ""))
                )}
              </small>
            </span>
          </li>
        ))}
      </ol>
      <div ref={box} className={style.stage} tabIndex={-1}>
        <AddBoardStage
          adding={adding}
          view={view}
          viewProblem={problem}
          taken={taken}
          onChange={change}
          onClose={onClose}
        />
      </div>
      <div className={style.hidden} role="status">
        {announcementOf(adding, view)}
      </div>
    </div>
  );
};

/** How long each step took. */
const useTimes = (stage: Stage | undefined) => {
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
    since: (stage === undefined ? undefined : times.current[stage]?.from) ?? Date.now(),
    text(one: Stage): string {
      const time = times.current[one];
      return time?.to === undefined || time.to - time.from < 1000
        ? ""
        : duration(Math.round((time.to - time.from) / 1000));
    },
  };
};

const Elapsed = ({ since }: { readonly since: number }) => {
  const seconds = Math.max(0, Math.floor((useNow() - since) / 1000));
  return seconds < 90 ? `${seconds} s` : duration(seconds);
};
