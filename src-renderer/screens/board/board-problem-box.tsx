import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { BoardAction, BoardProblem } from "#contract/boards.ts";
import { Commands } from "#renderer/ui/commands.tsx";
import { Disclosure } from "#renderer/ui/disclosure.tsx";
import { Buttons } from "#renderer/ui/form.tsx";
import style from "./board-problem-box.module.css";

/** A frame for a problem with a board: its title, what it is about, and what can be done. */
export const ProblemFrame = ({
  title,
  tone = "bad",
  children,
}: {
  readonly title?: string;
  readonly tone?: "bad" | "warn";
  readonly children: ReactNode;
}) => (
  <div className={style.problem} data-tone={tone} role={title === undefined ? "status" : "alert"}>
    {title !== undefined && <p className={style.title}>{title}</p>}
    {children}
  </div>
);

/** A problem with a board: its cause, what a person can do, the buttons that do it, and the board's own output. */
export const BoardProblemBox = ({
  problem,
  onAction,
  busy,
  children,
  tone = "bad",
  hide = [],
}: {
  readonly problem: BoardProblem;
  /** Undefined: no action can be taken here; commands are shown all the same. */
  readonly onAction?: ((action: BoardAction) => void) | undefined;
  /** The `do` of the action in progress. */
  readonly busy?: string | undefined;
  /** More buttons. */
  readonly children?: ReactNode;
  readonly tone?: "bad" | "warn";
  /** Actions whose button is elsewhere. */
  readonly hide?: readonly BoardAction["do"][];
}) => {
  const [shown, setShown] = useState<number>();
  const actions = (problem.actions ?? []).filter(
    (action) => !hide.includes(action.do) && (onAction !== undefined || action.do === "show-commands"),
  );
  const commands = shown === undefined ? undefined : actions[shown];
  const output = problem.raw?.trim() ?? "";
  return (
    <ProblemFrame title={problem.title} tone={tone}>
      <p>
        {problem.cause} {problem.next}
      </p>
      {(actions.length > 0 || children !== undefined) && (
        <Buttons>
          {actions.map((action, i) =>
            action.do === "show-commands" ? (
              <Button
                key={action.label}
                size="xs"
                aria-expanded={shown === i}
                onClick={() => setShown(shown === i ? undefined : i)}
              >
                {action.label}
              </Button>
            ) : (
              <Button
                key={action.label}
                size="xs"
                loading={busy === action.do}
                onClick={() => onAction?.(action)}
              >
                {action.label}
              </Button>
            ),
          )}
          {children}
        </Buttons>
      )}
      {commands?.do === "show-commands" && (
        <Commands lines={commands.commands} what="the commands" label={commands.label} />
      )}
      {output !== "" && (
        <Disclosure summary="Details">
          <Commands lines={[output]} what="the details" label="Details from the board" />
        </Disclosure>
      )}
    </ProblemFrame>
  );
};
