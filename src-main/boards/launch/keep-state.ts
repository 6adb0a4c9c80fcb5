import type { BoardProblem, ClientView } from "#contract/boards.ts";
import type { ClientEnd } from "./diagnose.ts";

/** What keeping a client is made of: its state, what can happen, and what then has to be done. */

/** What a person or the study asked for while something else was still in progress. */
export type Wish =
  | { readonly kind: "restart" }
  | { readonly kind: "hold"; readonly keepContainer: boolean }
  /** For good. `graceMs`: how long the client may take to end by itself. */
  | { readonly kind: "stop"; readonly graceMs: number };

export interface KeepState {
  /**
   * "connecting": waits for the board · "launching": data are sent, the container is started · "running" ·
   * "ending": a container is being stopped or removed · "resting": waits before the next attempt ·
   * "given-up": waits for a person after a problem that does not solve itself · "held": a person stopped it ·
   * "closing": the study is over, `stop` is awaited · "over"
   */
  readonly phase:
    | "connecting"
    | "launching"
    | "running"
    | "ending"
    | "resting"
    | "given-up"
    | "held"
    | "closing"
    | "over";
  readonly view: ClientView;
  /** Why it does not run. */
  readonly problem?: BoardProblem;
  /** Done as soon as what is in progress is over. */
  readonly wish?: Wish;
  readonly ending?: Ending;
  /** The study is over: nothing new is started. */
  readonly closing: boolean;
  /** How many waits came before this one; picks the next wait. */
  readonly attempt: number;
  readonly launches: number;
  /** Code of the last problem that was announced as an event. */
  readonly announced?: string;
  /** The data were sent again after the client found them damaged. */
  readonly resent: boolean;
}

/** What the phase "ending" does. */
export interface Ending {
  /** "clear": removes containers that earlier launches left. */
  readonly what: "finish" | "clear";
  /** The event that says it is done. */
  readonly announce?: "ended" | "removed";
  /** The client ended by itself; this is reported once its container is put away. */
  readonly after?: { readonly end: ClientEnd; readonly problem: BoardProblem };
}

export type KeepEvent =
  | { readonly kind: "board-away" }
  | { readonly kind: "board-locked"; readonly problem: BoardProblem }
  | { readonly kind: "board-online" }
  | {
      readonly kind: "launched";
      readonly container: string;
      readonly image: string;
      readonly startedAt: string;
    }
  /** `connectionLost`: the board went away meanwhile, which its link reports. */
  | {
      readonly kind: "launch-failed";
      readonly problem: BoardProblem;
      readonly connectionLost: boolean;
      readonly now: number;
    }
  | {
      readonly kind: "client-ended";
      readonly end: ClientEnd;
      readonly problem: BoardProblem;
      /** How long it ran. */
      readonly ranMs: number;
    }
  /** "ending" is done. `removed`: a container of an earlier launch was there. */
  | { readonly kind: "ending-done"; readonly removed: boolean; readonly now: number }
  | { readonly kind: "rested" }
  | { readonly kind: "run-began"; readonly run: string }
  | { readonly kind: "study-over" }
  /** Stopping took too long: the study continues without having seen the end. */
  | { readonly kind: "stop-overdue" }
  | { readonly kind: "asked"; readonly wish: Wish };

export type KeepCommand =
  | { readonly do: "await-board" }
  /** Connects the board now where it is not connected. */
  | { readonly do: "connect-board" }
  | { readonly do: "launch" }
  | { readonly do: "cancel-launch" }
  | { readonly do: "finish"; readonly graceMs: number; readonly keep: boolean }
  | { readonly do: "clear" }
  | { readonly do: "rest"; readonly ms: number }
  /** Ends `await-board` and `rest`. */
  | { readonly do: "stop-waiting" }
  /** What is on the board is read there before it is trusted, and sent again where it is wrong. */
  | { readonly do: "distrust-data" }
  | {
      readonly do: "announce";
      readonly state: "launched" | "ended" | "removed";
      readonly exitCode?: number;
      readonly problem?: BoardProblem;
    }
  | { readonly do: "say"; readonly text: string }
  /** The view or the problem is another. */
  | { readonly do: "show" };

export interface Step {
  readonly state: KeepState;
  readonly commands: readonly KeepCommand[];
}

export interface StepTiming {
  /** See `KeepTiming`. */
  readonly backOffMs: readonly number[];
  readonly resetMs: number;
}
