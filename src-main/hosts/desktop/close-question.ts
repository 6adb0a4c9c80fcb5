import type { Activity } from "#contract/views.ts";

/** What a person did: closed the window, quit the app, or shut the computer down (which leaves no time for questions). */
export type Wish = "close-window" | "quit" | "shutdown";

/** "close" the window and keep the app · "leave": close the lab and quit · "ask" first */
export type Decision = "close" | "leave" | "ask";

export type Choice = "background" | "after-round" | "now" | "cancel";

const isBusy = ({ study, queue }: Activity): boolean => study !== undefined || queue.length > 0;

export const decide = (wish: Wish, activity: Activity, platform: NodeJS.Platform): Decision => {
  if (wish === "shutdown") return "leave";
  if (isBusy(activity)) return "ask";
  // On macOS an app outlives its windows.
  return wish === "close-window" && platform === "darwin" ? "close" : "leave";
};

export interface Question {
  readonly message: string;
  readonly detail: string;
  /** The buttons, in order; the first is the default. */
  readonly choices: readonly { readonly choice: Choice; readonly label: string }[];
}

const LABELS: Readonly<Record<Choice, string>> = {
  background: "Keep running in the background",
  "after-round": "Stop after this round and quit",
  now: "Stop now and quit",
  cancel: "Cancel",
};

/** @param name of the running study */
export const questionFor = ({ study, phase, queue }: Activity, name: string): Question => {
  const waiting = queue.length;
  const others =
    waiting === 0
      ? ""
      : waiting === 1
        ? " One more study is queued."
        : ` ${waiting} more studies are queued.`;
  // Without a round in progress, or while the study is stopping anyway, there is nothing to wait for.
  const hasRound =
    study !== undefined && phase !== "stopping-now" && phase !== "starting" && phase !== "paused";
  const choices: readonly Choice[] = hasRound
    ? ["background", "after-round", "now", "cancel"]
    : ["background", "now", "cancel"];
  return {
    message: study === undefined ? queuedText(waiting) : `“${name}” is ${stateOf(phase)}.${others}`,
    detail: [
      "In the background it keeps running without a window. To see it again, click the icon in the tray or start Fedfleet.",
      hasRound
        ? "A stopped study can be resumed. If you stop now, the round in progress is lost."
        : "A stopped study can be resumed; finished rounds are kept.",
    ].join("\n\n"),
    choices: choices.map((choice) => ({ choice, label: LABELS[choice] })),
  };
};

const queuedText = (waiting: number): string =>
  waiting === 1 ? "One study is queued." : `${waiting} studies are queued.`;

const stateOf = (phase: Activity["phase"]): string =>
  ({
    starting: "starting",
    running: "running",
    pausing: "about to pause",
    paused: "paused",
    "stopping-after-round": "stopping after this round",
    "stopping-now": "stopping",
  })[phase ?? "running"];

/**
 * After "Stop after this round and quit": what to do now. "keep" waiting, the round is still in progress · "leave", it
 * has ended · "forget" it, because somebody has resumed the study since
 */
export const afterRound = (study: string, activity: Activity): "keep" | "leave" | "forget" => {
  if (activity.study !== study) return "leave";
  return activity.phase === "stopping-after-round" || activity.phase === "stopping-now" ? "keep" : "forget";
};
