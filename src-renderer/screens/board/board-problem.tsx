import { Button } from "@mantine/core";
import { type ReactNode, useId, useState } from "react";
import type { BoardAction, BoardProblem } from "#contract/boards.ts";
import { useToast } from "#renderer/ui/toasts.tsx";
import style from "./board.module.css";

/** Copies, and says so. */
export const CopyButton = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const toast = useToast();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast({ tone: "ok", text: `Copied: ${what}.` });
    } catch {
      toast({ tone: "bad", text: "This browser did not let it be copied. Select it and copy it by hand." });
    }
  };
  return (
    <Button size="xs" onClick={copy} aria-label={`Copy ${what}`}>
      Copy
    </Button>
  );
};

/** Lines as a terminal shows them, with a button that copies them. */
export const Commands = ({
  lines,
  what,
  label,
}: {
  readonly lines: readonly string[];
  /** For the button: "the commands". */
  readonly what: string;
  readonly label: string;
}) => (
  <div className={style.commands}>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is larger than its place is scrolled with the keyboard, too */}
    <section tabIndex={0} aria-label={label}>
      <pre>{lines.join("\n")}</pre>
    </section>
    <CopyButton text={lines.join("\n")} what={what} />
  </div>
);

/**
 * What went wrong with a board: the problem, its cause, what a person can do, the buttons that do it, and what the
 * machine itself said.
 */
export const BoardProblemBox = ({
  problem,
  onAction,
  busy,
  children,
  tone = "bad",
  hide = [],
}: {
  readonly problem: BoardProblem;
  /** Undefined: nothing can be done here; commands are shown all the same. */
  readonly onAction?: ((action: BoardAction) => void) | undefined;
  /** The `do` of the action that is under way. */
  readonly busy?: string | undefined;
  /** More buttons. */
  readonly children?: ReactNode;
  readonly tone?: "bad" | "warn";
  /** Actions that have their button elsewhere. */
  readonly hide?: readonly BoardAction["do"][];
}) => {
  const [shown, setShown] = useState<number>();
  const id = useId();
  const actions = (problem.actions ?? []).filter(
    (action) => !hide.includes(action.do) && (onAction !== undefined || action.do === "show-commands"),
  );
  const commands = shown === undefined ? undefined : actions[shown];
  return (
    <div className={style.problem} data-tone={tone} role="alert">
      <p className={style.problemTitle}>{problem.title}</p>
      <p>
        {problem.cause} {problem.next}
      </p>
      {(actions.length > 0 || children !== undefined) && (
        <div className={style.buttons}>
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
        </div>
      )}
      {commands?.do === "show-commands" && (
        <Commands lines={commands.commands} what="the commands" label={commands.label} />
      )}
      {problem.raw !== undefined && problem.raw.trim() !== "" && (
        <details className={style.raw}>
          <summary id={id}>What the machine said</summary>
          <Commands lines={[problem.raw]} what="what the machine said" label="What the machine said" />
        </details>
      )}
    </div>
  );
};
