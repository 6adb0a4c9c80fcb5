import type { BoardLogLine } from "#contract/boards.ts";
import { type Progress, progressOf, readable } from "./client-words.ts";

export interface ClientOutput {
  /**
   * A line that the client printed.
   * @param isLast one of its last lines, which are never left out
   */
  line(stream: "stdout" | "stderr", text: string, isLast?: boolean): void;
  /** It prints faster than it is read: the engine may drop lines that are not counted here. */
  behind(): void;
  /** Nothing more will come: what is held back is passed on. */
  end(): void;
}

export interface ClientOutputOptions {
  onLine(line: Pick<BoardLogLine, "at" | "stream" | "text">): void;
  onProgress(progress: Progress): void;
  /** Lines a second that a client may print for long. Default 100. */
  readonly perSecond?: number;
  /** Lines that it may print at once: a traceback, a table. Default 1000. */
  readonly atOnce?: number;
}

/** How often a line says that others were left out. */
const SAY_MS = 1000;
/** Progress is for the eye: this often is enough. */
const PROGRESS_MS = 100;

/**
 * What a client prints, for people and the record: without lines that say nothing, and never more than the lab and
 * its pages can take, whatever the client does. What is left out is counted.
 */
export const createClientOutput = (options: ClientOutputOptions): ClientOutput => {
  const { perSecond = 100, atOnce = 1000 } = options;
  const tell = (stream: BoardLogLine["stream"], text: string): void =>
    options.onLine({ at: new Date().toISOString(), stream, text });
  let credit = atOnce;
  let countedAt = performance.now();
  let leftOut = 0;
  let isBehind = false;
  let sayTimer: NodeJS.Timeout | undefined;
  let progress: Progress | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  let progressTimer: NodeJS.Timeout | undefined;

  const sayLeftOut = (): void => {
    clearTimeout(sayTimer);
    sayTimer = undefined;
    if (leftOut === 0) return;
    const lines = leftOut === 1 ? "1 line was" : `${leftOut.toLocaleString("en")} lines were`;
    const count = isBehind ? `at least ${lines}` : lines;
    tell("lab", `${count} left out here: the client prints more than ${perSecond} a second`);
    isBehind = false;
    leftOut = 0;
  };
  const tellProgress = (): void => {
    clearTimeout(progressTimer);
    progressTimer = undefined;
    if (progress === undefined) return;
    toldAt = performance.now();
    options.onProgress(progress);
    progress = undefined;
  };

  const isTooMuch = (): boolean => {
    if (credit >= 1) return false;
    const now = performance.now();
    credit = Math.min(atOnce, credit + ((now - countedAt) / 1000) * perSecond);
    countedAt = now;
    return credit < 1;
  };

  return {
    line(stream, text, isLast = false) {
      const found = stream === "stdout" ? progressOf(text) : undefined;
      if (found !== undefined) {
        progress = found;
        const wait = PROGRESS_MS - (performance.now() - toldAt);
        if (wait <= 0) tellProgress();
        else progressTimer ??= setTimeout(tellProgress, wait).unref();
        return;
      }
      if (isLast) sayLeftOut();
      else if (isTooMuch()) {
        leftOut++;
        sayTimer ??= setTimeout(sayLeftOut, SAY_MS).unref();
        return;
      }
      const words = readable(text);
      if (words === undefined) return;
      credit--;
      tell(stream, words);
    },
    behind() {
      isBehind = true;
    },
    end() {
      sayLeftOut();
      tellProgress();
    },
  };
};
