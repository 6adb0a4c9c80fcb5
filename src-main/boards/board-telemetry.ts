import type { TelemetryPoint } from "#contract/boards.ts";

/** What boards tell is passed on so often, for all of them together. */
const EVERY_MS = 1000;
/** So often a point of each board goes into the record. */
const RECORDED_EVERY_MS = 5000;
/** Old points are looked for so often. */
const TIDIED_EVERY_MS = 3600 * 1000;

export interface Told {
  readonly device: string;
  readonly point: TelemetryPoint;
}

export interface TelemetryPorts {
  /** The latest of every board that told something since the last time. */
  pass(points: readonly Told[]): void;
  record(points: readonly Told[]): void;
  tidy(device: string): void;
  readonly now: () => number;
}

/** Gathers what all boards tell, about once a second each: one message and one commit for all of them. */
export const createTelemetry = (ports: TelemetryPorts) => {
  const latest = new Map<string, TelemetryPoint>();
  const fresh = new Set<string>();
  const recordedAt = new Map<string, number>();
  let tidiedAt = ports.now();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    const now = ports.now();
    const points = [...fresh].map((device): Told => ({ device, point: latest.get(device)! }));
    fresh.clear();
    if (points.length === 0) return;
    ports.pass(points);
    const due = points.filter(({ device }) => now - (recordedAt.get(device) ?? 0) >= RECORDED_EVERY_MS);
    for (const { device } of due) recordedAt.set(device, now);
    if (due.length > 0) ports.record(due);
    if (now - tidiedAt > TIDIED_EVERY_MS) {
      tidiedAt = now;
      for (const device of latest.keys()) ports.tidy(device);
    }
  };

  return {
    told(device: string, point: TelemetryPoint): void {
      latest.set(device, point);
      fresh.add(device);
      timer ??= setTimeout(flush, EVERY_MS).unref();
    },
    latest: (device: string): TelemetryPoint | undefined => latest.get(device),
    forget(device: string): void {
      latest.delete(device);
      fresh.delete(device);
      recordedAt.delete(device);
    },
    close(): void {
      clearTimeout(timer);
      flush();
    },
  };
};
