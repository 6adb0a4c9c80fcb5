import type { PowerMonitor, PowerSaveBlocker } from "electron";
import type { Activity } from "#contract/views.ts";

/** Keeps the computer awake while a study runs; the display may sleep. */
export const createWakefulness = (blocker: Pick<PowerSaveBlocker, "start" | "stop">) => {
  let block: number | undefined;
  return (activity: Activity): void => {
    const awake = activity.study !== undefined && activity.phase !== "paused";
    if (awake && block === undefined) block = blocker.start("prevent-app-suspension");
    if (!awake && block !== undefined) {
      blocker.stop(block);
      block = undefined;
    }
  };
};

/** Reports when the computer sleeps and wakes: it explains why devices were lost meanwhile. */
export const followSleep = (
  monitor: Pick<PowerMonitor, "on">,
  ports: {
    /** Milliseconds. */
    now(): number;
    say(message: string): void;
    /** Reconnects what was lost meanwhile. */
    onAwake(): void;
    onShutdown(): void;
  },
): void => {
  let asleepSince: number | undefined;
  monitor.on("suspend", () => {
    asleepSince = ports.now();
    ports.say("The computer is going to sleep. The study continues when it wakes.");
  });
  monitor.on("resume", () => {
    const seconds = asleepSince === undefined ? undefined : Math.round((ports.now() - asleepSince) / 1000);
    asleepSince = undefined;
    const span =
      seconds === undefined
        ? ""
        : ` after ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
    ports.say(
      `The computer is awake again${span}: the study continues. The times of this round include the sleep.`,
    );
    ports.onAwake();
  });
  // Linux and macOS then wait a little, in which the study stops in order.
  // Electron's types leave the event out.
  (monitor as unknown as NodeJS.EventEmitter).on("shutdown", (event: { preventDefault(): void }) => {
    event.preventDefault();
    ports.onShutdown();
  });
};
