import type { TelemetryPoint } from "#contract/boards.ts";
import type { Pulse } from "#main/boards/board-ports.ts";
import { readThrottled } from "#main/boards/probe/throttling.ts";
import { READER_SCRIPT } from "./reader-script.ts";

/** A line is a few hundred characters; longer ones are ignored. */
const LONGEST_LINE = 4096;
/** Each value's last character takes part, so that no value can be cut off unseen; 15 digits are exact. */
const WHOLE = /^\d{1,15}$/;
/** Ends, as the full reader does, when its output is closed. */
const HEARTBEAT = "exec sh -c 'while echo pulse; do sleep 1 || exit 0; done'";

/** @param options.diskPath whose free space is reported; default: where Docker keeps its images, or the home folder */
export const createPulse = (
  options: { readonly diskPath?: string; readonly now?: () => Date } = {},
): Pulse => {
  const now = options.now ?? (() => new Date());
  const disk =
    options.diskPath === undefined
      ? "disk=$HOME; [ ! -d /var/lib/docker ] || disk=/var/lib/docker"
      : `disk="${options.diskPath.replace(/["$`\\'\n]/g, "")}"`;
  const command = `exec sh -c '${disk}${READER_SCRIPT}'`;
  return { command, heartbeat: HEARTBEAT, read: (line) => readPulse(line, now()) };
};

/**
 * What one line of the reader says. Never throws.
 * @param at when it came: the board's own clock may be wrong
 * @returns undefined where it says nothing that can be used
 */
export const readPulse = (line: string, at: Date): TelemetryPoint | undefined => {
  if (!line.startsWith("pulse ") || line.length > LONGEST_LINE) return undefined;
  const fields = new Map<string, string>();
  for (const field of line.slice("pulse ".length).trimEnd().split(" ")) {
    const equals = field.indexOf("=");
    if (equals > 0) fields.set(field.slice(0, equals), field.slice(equals + 1));
  }
  const number = (key: string, least: number, most: number): number | undefined => {
    const text = fields.get(key) ?? "";
    const value = WHOLE.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : undefined;
  };
  const temperature = number("t", 1, 150_000);
  const memory = number("mt", 1, 1e15);
  const available = number("ma", 0, memory ?? 0);
  const cpu = number("cpu", 0, 1000);
  const gpu = number("gpu", 0, 1000);
  const power = number("mw", 1, 1_000_000) ?? railsPower(fields.get("adc") ?? "");
  const disk = number("disk", 0, 1e15);
  const throttling = readThrottled(fields.get("thr") ?? "")?.now;
  const point: TelemetryPoint = {
    at: at.toISOString(),
    ...(temperature !== undefined && { temperature: temperature / 1000 }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(memory !== undefined && available !== undefined && { memoryUsedBytes: memory - available }),
    ...(cpu !== undefined && { cpu: cpu / 1000 }),
    ...(gpu !== undefined && { gpu: gpu / 1000 }),
    ...(power !== undefined && { power: power / 1000 }),
    ...(disk !== undefined && { diskFreeBytes: disk }),
    ...(throttling !== undefined && { throttling }),
  };
  return Object.keys(point).length > 1 ? point : undefined;
};

/**
 * A Raspberry Pi 5's power chip measures each of its rails: ",VDD_CORE_A:1.24A,VDD_CORE_V:0.72V,…". What it does not
 * supply, such as a disk on USB, is not in it.
 * @returns milliwatts
 */
const railsPower = (adc: string): number | undefined => {
  const measured = new Map<string, number>();
  for (const entry of adc.split(",")) {
    const parts = /^(\w{1,40}_[AV]):(\d{1,4}\.\d{1,10})[AV]$/.exec(entry);
    if (parts) measured.set(parts[1]!, Number(parts[2]));
  }
  let watts = 0;
  for (const [name, amperes] of measured)
    if (name.endsWith("_A")) watts += amperes * (measured.get(`${name.slice(0, -1)}V`) ?? 0);
  return watts > 0 && watts < 1000 ? Math.round(watts * 1000) : undefined;
};
