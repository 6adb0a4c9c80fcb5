import { createLogUpdate } from "log-update";
import type { LabEvent } from "#contract/events.ts";
import { liveBlock, noteLines, roundLine, waitingText } from "./progress.ts";
import { advance, type StudyProgress } from "./study-progress.ts";

/** Where progress goes: process.stderr, or a stand-in of a test. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

export interface Terminal {
  show(event: LabEvent): void;
  /** A person has asked to stop after this round. */
  stopping(): void;
  /** A line above the live block. */
  say(line: string): void;
  /** Removes the live block. Call it before printing anything else to the screen. */
  end(): void;
}

/** Without a live block: how long a wait lasts before it gets a line. That a round trains for a while is no news. */
const QUIET_MS = { joining: 2000, answering: 30_000 } as const;

/** Shortest time between two redraws of the live block. */
const REDRAW_MS = 100;

/**
 * Shows a study's progress. On a terminal a block below the finished rounds is redrawn in place. Elsewhere there is a
 * line for each round, failure and wait.
 */
export const createTerminal = (screen: Screen, start: StudyProgress): Terminal => {
  let progress = start;
  // The cursor stays visible: to hide it, log-update would install handlers for signals, which are ours to answer.
  const block = createLogUpdate(screen as NodeJS.WriteStream, { showCursor: true });
  let timer: NodeJS.Timeout | undefined;
  let saidWaiting = "";
  /** Devices that left for the same reason at the same time share one line. */
  let left: { reason: string; devices: string[] } | undefined;

  const draw = () => {
    timer = undefined;
    if (!screen.isTTY || progress.algorithm === "") return;
    const maxLines = Math.max(4, Math.min(14, (screen.rows ?? 24) - 4));
    block(liveBlock(progress, screen.columns ?? 80, maxLines).join("\n"));
  };
  const say = (line: string) => {
    block.clear();
    screen.write(`${line}\n`);
    if (screen.isTTY) schedule();
  };
  const schedule = () => {
    timer ??= setTimeout(draw, REDRAW_MS);
    timer.unref();
  };

  const sayWhoLeft = () => {
    if (left === undefined) return;
    const [first, ...others] = left.devices;
    say(`  ${first}${others.length > 0 ? ` and ${others.length} more` : ""} left: ${left.reason}`);
    left = undefined;
  };

  return {
    show(event) {
      progress = advance(progress, event);
      if (event.kind === "device-left" && !progress.over) {
        if (left?.reason !== event.reason) sayWhoLeft();
        left ??= { reason: event.reason, devices: [] };
        left.devices.push(event.device);
        setImmediate(sayWhoLeft);
      }
      for (const line of noteLines(event)) say(line);
      if (event.kind === "round-ended") {
        saidWaiting = "";
        say(roundLine(progress, event.result));
      }
      // Without a live block, a wait gets one line, not one a second.
      if (
        event.kind === "waiting" &&
        !screen.isTTY &&
        event.for !== saidWaiting &&
        event.sinceMs > QUIET_MS[event.stage]
      ) {
        saidWaiting = event.for;
        say(`  ${waitingText(progress)}`);
      }
      if (screen.isTTY) schedule();
    },
    stopping() {
      progress = { ...progress, stopping: true };
      // Over the ^C that the terminal has echoed.
      if (screen.isTTY) screen.write("\r");
      say("Stopping after this round. Press Ctrl-C again to stop now and lose the round in progress.");
    },
    say,
    end() {
      sayWhoLeft();
      clearTimeout(timer);
      timer = undefined;
      block.clear();
      block.done();
    },
  };
};
