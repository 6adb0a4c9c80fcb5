import type { TelemetryPoint } from "#contract/boards.ts";

/** How often telemetry is passed on, for all boards together. */
const EVERY_MS = 1000;
/** How often a point of each board is recorded. */
const RECORDED_EVERY_MS = 5000;
/** How often old points are deleted. */
const TIDIED_EVERY_MS = 3600 * 1000;

/** A point of a board. */
export interface DevicePoint {
  readonly device: string;
  readonly point: TelemetryPoint;
}

export interface TelemetryPorts {
  /** The latest point of every board that sent one since the last call. */
  pass(points: readonly DevicePoint[]): void;
  record(points: readonly DevicePoint[]): void;
  tidy(device: string): void;
  readonly now: () => number;
}

/** Gathers the telemetry of all boards: one message and one commit for all of them. */
export const createTelemetry = (ports: TelemetryPorts) => {
  const latest = new Map<string, TelemetryPoint>();
  const fresh = new Set<string>();
  const recordedAt = new Map<string, number>();
  let tidiedAt = ports.now();
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    timer = undefined;
    const now = ports.now();
    const points = [...fresh].map((device): DevicePoint => ({ device, point: latest.get(device)! }));
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
    add(device: string, point: TelemetryPoint): void {
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
