import type { Activity } from "#contract/views.ts";
import { afterRound, type Choice, decide, type Question, questionFor, type Wish } from "./close-question.ts";

export interface LeavingPorts {
  readonly platform: NodeJS.Platform;
  activity(): Activity;
  onActivity(listener: (activity: Activity) => void): () => void;
  nameOf(study: string): string;
  /** Shows the question; resolves with the choice, "cancel" if it was closed. */
  ask(question: Question): Promise<Choice>;
  hideWindow(): void;
  stopAfterRound(study: string): void;
  /** Stops the running study and closes the lab. */
  putAway(): Promise<void>;
  /** Ends the app, once the lab is closed. */
  quit(): void;
  problem(error: unknown): void;
}

/**
 * The running study has less than this to stop in order. After it the app ends anyway: without a window and still
 * running, it would hold the data directory.
 */
const PUT_AWAY_MS = 15_000;

/** @throws Error when it takes longer. */
const inTime = async (work: Promise<void>): Promise<void> => {
  const late = Promise.withResolvers<never>();
  const why = new Error(`the lab did not close within ${PUT_AWAY_MS / 1000} s`);
  const timer = setTimeout(() => late.reject(why), PUT_AWAY_MS);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** The way out of the app: it closes only after the lab has, and asks first while a study runs. */
export const createLeaving = (ports: LeavingPorts) => {
  let leaving: Promise<void> | undefined;
  let left = false;
  let asking = false;
  let stopWaiting: (() => void) | undefined;

  const leave = (): Promise<void> => {
    leaving ??= (async () => {
      stopWaiting?.();
      ports.hideWindow();
      try {
        await inTime(ports.putAway());
      } catch (error) {
        ports.problem(error);
      }
      left = true;
      ports.quit();
    })();
    return leaving;
  };

  const leaveAfterRound = (study: string): void => {
    const look = (activity: Activity) => {
      const now = afterRound(study, activity);
      if (now === "keep") return;
      stopWaiting?.();
      if (now === "leave") void leave();
    };
    stopWaiting?.();
    const unlisten = ports.onActivity(look);
    stopWaiting = () => {
      unlisten();
      stopWaiting = undefined;
    };
    ports.stopAfterRound(study);
  };

  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      const { study } = ports.activity();
      const choice = await ports.ask(
        questionFor(ports.activity(), study === undefined ? "" : ports.nameOf(study)),
      );
      if (choice === "background") ports.hideWindow();
      if (choice === "now") await leave();
      if (choice === "after-round") {
        // The study may have ended while the question was open.
        if (study === undefined || ports.activity().study !== study) await leave();
        else leaveAfterRound(study);
      }
    } catch (error) {
      ports.problem(error);
    } finally {
      asking = false;
    }
  };

  return {
    /** @returns whether the window or the app may close now. If not, the next step has begun. */
    wish(wish: Wish): boolean {
      if (left) return true;
      if (leaving !== undefined) return false;
      const decision = decide(wish, ports.activity(), ports.platform);
      if (decision === "close") return true;
      if (decision === "leave") void leave();
      else void ask();
      return false;
    },
    /** Without a question. May be called more than once. */
    leave,
  };
};
