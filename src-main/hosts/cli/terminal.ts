import type { LabEvent } from "#contract/events.ts";
import { advance, liveBlock, noteLines, type Progress, roundLine } from "./progress.ts";

/** Where progress goes: process.stderr, or something like it in a test. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

export interface Terminal {
  show(event: LabEvent): void;
  /** The person has asked to stop after this round. */
  stopping(): void;
  /** A line above the live block. */
  say(line: string): void;
  /** Clears the live block; call before anything else is printed to the screen. */
  end(): void;
}

/** Without a live block: how long a wait lasts before it gets a line. A round that trains for a while is no news. */
const QUIET_MS = { joining: 2000, answering: 30_000 } as const;

/** How often the live block is redrawn at most. */
const REDRAW_MS = 100;

/**
 * Shows a study's progress: on a terminal a block redrawn in place under the finished rounds, elsewhere quiet and
 * line by line (a line per round, and one per failure or wait).
 */
export const createTerminal = (screen: Screen, start: Progress): Terminal => {
  let progress = start;
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  let saidWaiting = "";
  /** Devices that left for the same reason in the same moment: a hundred of them are one line. */
  let left: { reason: string; devices: string[] } | undefined;

  const erase = () => {
    // To the start of the line first: the terminal has echoed ^C if that was pressed.
    if (drawn > 0) screen.write(`\r\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    timer = undefined;
    if (!screen.isTTY || progress.algorithm === "") return;
    erase();
    const lines = liveBlock(
      progress,
      screen.columns ?? 80,
      Math.max(4, Math.min(14, (screen.rows ?? 24) - 4)),
    );
    screen.write(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
  };
  const say = (line: string) => {
    erase();
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
      // Without a live block, a wait is said once, not at every tick.
      if (
        event.kind === "waiting" &&
        !screen.isTTY &&
        event.for !== saidWaiting &&
        event.sinceMs > QUIET_MS[event.stage]
      ) {
        saidWaiting = event.for;
        say(`  ${progress.waiting}`);
      }
      if (screen.isTTY) schedule();
    },
    stopping() {
      progress = { ...progress, stopping: true };
      say("Stopping after this round. Press Ctrl-C again to stop now (the round in progress is lost).");
    },
    say,
    end() {
      sayWhoLeft();
      clearTimeout(timer);
      timer = undefined;
      erase();
    },
  };
};
