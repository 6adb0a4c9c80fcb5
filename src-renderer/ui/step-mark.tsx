import style from "./step-mark.module.css";

export type StepMarkState = "open" | "blocked" | "running" | "done" | "failed" | "not-needed";

const MARKS: Readonly<Record<StepMarkState, string>> = {
  open: "○",
  blocked: "○",
  running: "◔",
  done: "✓",
  failed: "✕",
  "not-needed": "–",
};

/** The sign before a step; `label` says it to a screen reader where no word beside it does. */
export const StepMark = ({ state, label }: { readonly state: StepMarkState; readonly label?: string }) => (
  <span
    className={style.mark}
    data-state={state}
    {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
  >
    {MARKS[state]}
  </span>
);
