import type { PowerMonitor, PowerSaveBlocker } from "electron";
import type { Activity } from "#contract/views.ts";

/** Keeps the computer from falling asleep by itself while a study runs; the display may. */
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

/** Says when the computer was put to sleep and came back: devices that were lost meanwhile were not at fault. */
export const followSleep = (
  monitor: Pick<PowerMonitor, "on">,
  ports: {
    /** Milliseconds. */
    now(): number;
    say(message: string): void;
    /** Connections that broke meanwhile are made anew. */
    onAwake(): void;
    onShutdown(): void;
  },
): void => {
  let asleepSince: number | undefined;
  monitor.on("suspend", () => {
    asleepSince = ports.now();
    ports.say("The computer goes to sleep: the study rests until it wakes.");
  });
  monitor.on("resume", () => {
    const seconds = asleepSince === undefined ? undefined : Math.round((ports.now() - asleepSince) / 1000);
    asleepSince = undefined;
    const span =
      seconds === undefined
        ? ""
        : ` after ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
    ports.say(
      `The computer is awake again${span}: the study goes on, and times of this round include the sleep.`,
    );
    ports.onAwake();
  });
  // Linux and macOS wait a little where this is prevented; the study is put away meanwhile.
  // Electron's types leave the event out.
  (monitor as unknown as NodeJS.EventEmitter).on("shutdown", (event: { preventDefault(): void }) => {
    event.preventDefault();
    ports.onShutdown();
  });
};
