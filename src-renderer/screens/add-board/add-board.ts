import type { BoardProblem, BoardTarget, BoardView, Reached } from "#contract/boards.ts";
import { factsInShort } from "#renderer/screens/board/fact-lines.ts";
import { remainingText } from "#renderer/screens/board/set-up-plan.ts";

/** The steps of adding a board; add-board-dialog.tsx draws them. */

const STAGES = ["reach", "host-key", "sign-in", "identify", "prepare", "ready"] as const;
export type Stage = (typeof STAGES)[number];

export const STAGE_WORDS: Readonly<Record<Stage, string>> = {
  reach: "Connect",
  "host-key": "Host key",
  "sign-in": "Sign in",
  identify: "Check board",
  prepare: "Set up",
  ready: "Ready",
};

export type Adding =
  | { readonly at: "address" }
  | { readonly at: "reaching"; readonly target: BoardTarget; readonly problem?: BoardProblem }
  /** The person has to compare the key; or it is not the known one, and adding ends here. */
  | { readonly at: "host-key"; readonly target: BoardTarget; readonly reached: Reached }
  | {
      readonly at: "sign-in";
      readonly target: BoardTarget;
      readonly reached: Reached;
      readonly problem?: BoardProblem;
    }
  /** Signs in and checks the board. */
  | { readonly at: "adding"; readonly target: BoardTarget; readonly reached: Reached }
  | { readonly at: "added"; readonly name: string };

/** After a machine has answered: a known key leads to the sign-in, any other to the person. */
export const afterReach = (target: BoardTarget, reached: Reached): Adding =>
  reached.trust === "known" ? { at: "sign-in", target, reached } : { at: "host-key", target, reached };

export const stageOf = (adding: Adding, view: BoardView | undefined): Stage => {
  switch (adding.at) {
    case "address":
    case "reaching":
      return "reach";
    case "host-key":
      return "host-key";
    case "sign-in":
    case "adding":
      return "sign-in";
    case "added":
      if (view?.facts === undefined) return "identify";
      return view.plan?.ready === true ? "ready" : "prepare";
  }
};

export interface StageLine {
  readonly stage: Stage;
  readonly state: "open" | "running" | "done" | "failed";
  /** A few words below its name. */
  readonly note: string | undefined;
}

export const stageLines = (adding: Adding, view: BoardView | undefined): readonly StageLine[] => {
  const now = stageOf(adding, view);
  const at = STAGES.indexOf(now);
  return STAGES.map((stage, i) => {
    if (i < at || (stage === "ready" && now === "ready"))
      return { stage, state: "done", note: doneNote(stage, adding, view) };
    if (i > at) return { stage, state: "open", note: undefined };
    return { stage, state: stateOfNow(adding, view), note: undefined };
  });
};

const stateOfNow = (adding: Adding, view: BoardView | undefined): StageLine["state"] => {
  if ((adding.at === "reaching" || adding.at === "sign-in") && adding.problem !== undefined) return "failed";
  if (adding.at === "host-key" && adding.reached.trust === "changed") return "failed";
  if (adding.at === "reaching" || adding.at === "adding") return "running";
  if (adding.at !== "added") return "open";
  if (view?.plan?.running === true) return "running";
  return view?.plan?.steps.some(({ state }) => state === "failed") === true ? "failed" : "open";
};

const doneNote = (stage: Stage, adding: Adding, view: BoardView | undefined): string | undefined => {
  switch (stage) {
    case "host-key":
      return "trusted";
    case "sign-in":
      return view === undefined
        ? undefined
        : view.signIn === "lab-key"
          ? "key installed"
          : `with ${view.signIn === "agent" ? "the SSH agent" : view.signIn === "key" ? "a private key" : "a password"}`;
    case "identify":
      return view?.facts?.model;
    case "reach":
      return adding.at === "added" ? view?.address : undefined;
    default:
      return undefined;
  }
};

/** What has changed, for a screen reader. */
export const announcementOf = (adding: Adding, view: BoardView | undefined): string => {
  switch (adding.at) {
    case "address":
      return "";
    case "reaching":
      return adding.problem === undefined ? "Connecting." : adding.problem.title;
    case "host-key":
      return adding.reached.trust === "changed"
        ? "The host key has changed. Nothing was sent."
        : `${adding.reached.host} answers. Compare its key's fingerprint.`;
    case "sign-in":
      return adding.problem === undefined ? "The host key is trusted. Sign in." : adding.problem.title;
    case "adding":
      return "Signing in and checking the board.";
    case "added": {
      if (view?.facts === undefined) return "Signed in.";
      if (view.plan === undefined) return `Found: ${factsInShort(view.facts)}.`;
      if (view.plan.ready) return `${adding.name} is ready.`;
      return `Found: ${factsInShort(view.facts)}. ${remainingText(view.plan)}`;
    }
  }
};
