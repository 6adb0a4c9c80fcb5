import type { Activity } from "#contract/views.ts";

/** What a person did: closed the window, quit the app, or shut the computer down (no time for questions). */
export type Wish = "close-window" | "quit" | "shutdown";

/** "close": the window alone, the app stays · "leave": put everything away and quit · "ask" first */
export type Decision = "close" | "leave" | "ask";

export type Choice = "background" | "after-round" | "now" | "cancel";

const isBusy = ({ study, queue }: Activity): boolean => study !== undefined || queue.length > 0;

export const decide = (wish: Wish, activity: Activity, platform: NodeJS.Platform): Decision => {
  if (wish === "shutdown") return "leave";
  if (isBusy(activity)) return "ask";
  // On a Mac an app outlives its windows.
  return wish === "close-window" && platform === "darwin" ? "close" : "leave";
};

export interface Question {
  readonly message: string;
  readonly detail: string;
  /** In the order of the buttons; the first is the default. */
  readonly choices: readonly { readonly choice: Choice; readonly label: string }[];
}

const LABELS: Readonly<Record<Choice, string>> = {
  background: "Go on in the background",
  "after-round": "Stop after this round and quit",
  now: "Stop now and quit",
  cancel: "Cancel",
};

/** @param name of the study that runs */
export const questionFor = ({ study, phase, queue }: Activity, name: string): Question => {
  const waiting = queue.length;
  const others =
    waiting === 0 ? "" : waiting === 1 ? " One more study waits." : ` ${waiting} more studies wait.`;
  // Where no round is in progress, or everything is being put away already, there is nothing to wait for.
  const hasRound =
    study !== undefined && phase !== "stopping-now" && phase !== "starting" && phase !== "paused";
  const choices: readonly Choice[] = hasRound
    ? ["background", "after-round", "now", "cancel"]
    : ["background", "now", "cancel"];
  return {
    message:
      study === undefined
        ? `Studies wait for their turn.${others}`
        : `“${name}” is ${stateOf(phase)}.${others}`,
    detail: [
      "In the background it goes on without the window: click the icon in the tray, or start Fedfleet again, to see it.",
      hasRound
        ? "Stopped after this round, or now, it can be resumed; stopped now, the round in progress is lost."
        : "Stopped now, it can be resumed; the rounds that are done are kept.",
    ].join("\n\n"),
    choices: choices.map((choice) => ({ choice, label: LABELS[choice] })),
  };
};

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
 * After "Stop after this round and quit": whether the time has come. "keep": the round is still in progress ·
 * "leave": it is over · "forget": somebody has resumed the study meanwhile, who wants to stay
 */
export const afterRound = (study: string, activity: Activity): "keep" | "leave" | "forget" => {
  if (activity.study !== study) return "leave";
  return activity.phase === "stopping-after-round" || activity.phase === "stopping-now" ? "keep" : "forget";
};
