export interface SilenceWatch {
  /** Something that proves life: a line of the pulse. */
  alive(): void;
  stop(): void;
}

export interface SilenceWatchOptions {
  /** Without a sign of life for this long, the board is silent. */
  readonly silentMs: number;
  /** When other traffic came last; it delays the alarm, but does not end a silence. */
  heardAt(): number;
  onSilent(): void;
  now(): number;
}

/** A timer that fires this late says something about this computer, not about the board. */
const LATE_MS = 2000;

/** Calls `onSilent` once when a board has been silent for too long; `alive` starts the watch again. */
export const watchSilence = ({ silentMs, heardAt, onSilent, now }: SilenceWatchOptions): SilenceWatch => {
  let lastLine = now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const lookIn = (ms: number): void => {
    const due = now() + ms;
    timer = setTimeout(() => {
      // This computer slept or was busy itself: what came meanwhile is read first.
      if (now() - due > LATE_MS) lookIn(silentMs);
      else look();
    }, ms);
  };
  const look = (): void => {
    const quiet = now() - Math.max(lastLine, heardAt());
    if (quiet < silentMs) {
      lookIn(silentMs - quiet + 1);
      return;
    }
    // From now on only a line of the pulse counts as a sign of life, not a packet that keeps the connection.
    timer = undefined;
    onSilent();
  };
  lookIn(silentMs);

  return {
    alive() {
      lastLine = now();
      if (timer === undefined && !stopped) lookIn(silentMs);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
};
