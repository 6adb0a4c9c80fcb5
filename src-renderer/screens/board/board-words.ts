import type { StepView, TelemetryPoint, Throttling } from "#contract/boards.ts";
import { bytes } from "#renderer/ui/format.ts";

/** Words for what a board reports, everywhere in the page. */

/** "1.4 of 3.9 GB": one unit for both, so that the column can be read down. */
export const memoryText = (point: TelemetryPoint | undefined): string | undefined => {
  const { memoryUsedBytes: used, memoryBytes: all } = point ?? {};
  if (used === undefined) return undefined;
  if (all === undefined) return bytes(used);
  const unit = all >= 1e9 ? { size: 1e9, name: "GB" } : { size: 1e6, name: "MB" };
  const digits = all >= 1e11 || unit.name === "MB" ? 0 : 1;
  return `${(used / unit.size).toFixed(digits)} of ${(all / unit.size).toFixed(digits)} ${unit.name}`;
};

const THROTTLING: Readonly<Record<Throttling, string>> = {
  undervoltage: "undervoltage",
  "frequency-capped": "clock capped",
  throttled: "throttled",
  "soft-temperature-limit": "slowed by heat",
};

/** undefined where nothing throttles the board. */
export const throttlingText = (flags: readonly Throttling[] | undefined): string | undefined =>
  flags === undefined || flags.length === 0 ? undefined : flags.map((flag) => THROTTLING[flag]).join(", ");

/** "NVIDIA Jetson Xavier NX Developer Kit" → "Jetson Xavier NX"; "Raspberry Pi 4 Model B Rev 1.4" → "Raspberry Pi 4 B" */
export const shortModel = (model: string): string =>
  model
    .replace(/^NVIDIA\s+/i, "")
    .replace(/\s+(Developer Kit|DevKit|Rev \d.*)$/i, "")
    .replace(/^(Raspberry Pi \d) Model /, "$1 ")
    .replace(/ Plus$/, "+")
    .trim() || model;

/** The tag of a Docker image: the name before it is the same on all boards. */
export const shortImage = (image: string): string => image.slice(image.lastIndexOf(":") + 1);

export const STEP_WORDS: Readonly<Record<StepView["state"], string>> = {
  done: "done",
  open: "to do",
  blocked: "waiting for the step above",
  running: "running",
  failed: "failed",
  "not-needed": "not needed",
};
