import { titleOfAlgorithm } from "#contract/algorithms/algorithms.ts";
import type { RunStatus } from "#contract/events.ts";
import type { Activity } from "#contract/views.ts";
import { lookOf } from "#renderer/charts/colours.ts";
import style from "./page.module.css";
import { Pill, type Tone } from "./page.tsx";

const STATUS: Readonly<Record<RunStatus, { tone: Tone; mark: string; word: string }>> = {
  waiting: { tone: "quiet", mark: "◦", word: "Waiting" },
  running: { tone: "ok", mark: "▸", word: "Running" },
  interrupted: { tone: "warn", mark: "‖", word: "Stopped" },
  done: { tone: "accent", mark: "✓", word: "Done" },
  failed: { tone: "bad", mark: "✕", word: "Failed" },
};

const PHASE: Readonly<Record<NonNullable<Activity["phase"]>, { tone: Tone; mark: string; word: string }>> = {
  starting: { tone: "ok", mark: "▸", word: "Starting" },
  running: STATUS.running,
  pausing: { tone: "warn", mark: "‖", word: "Pausing after this round" },
  paused: { tone: "warn", mark: "‖", word: "Paused" },
  "stopping-after-round": { tone: "warn", mark: "◼", word: "Stopping after this round" },
  "stopping-now": { tone: "warn", mark: "◼", word: "Stopping" },
};

export const StatusPill = ({
  id,
  status,
  activity,
}: {
  readonly id?: string;
  readonly status: RunStatus;
  readonly activity?: Activity;
}) => {
  const { tone, mark, word } =
    id !== undefined && activity?.study === id && activity.phase !== undefined
      ? PHASE[activity.phase]
      : id !== undefined && activity?.queue.includes(id)
        ? { tone: "quiet" as const, mark: "◦", word: `Queued (#${activity.queue.indexOf(id) + 1})` }
        : STATUS[status];
  return (
    <Pill tone={tone} mark={mark}>
      {word}
    </Pill>
  );
};

/** An algorithm's name with the line that stands for it in every chart. */
export const AlgorithmChip = ({
  name,
  label = titleOfAlgorithm(name),
}: {
  readonly name: string;
  readonly label?: string;
}) => {
  const { colour, dash } = lookOf(name);
  return (
    <span className={style.chip}>
      <svg className={style.chipKey} viewBox="0 0 18 8" aria-hidden="true">
        <line x1="0" x2="18" y1="4" y2="4" stroke={colour} strokeWidth="3" strokeDasharray={dash} />
      </svg>
      {label}
    </span>
  );
};
