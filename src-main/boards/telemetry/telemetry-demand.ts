/** Who wants the telemetry of which boards now: pages that show it, studies that use the boards. */
export interface TelemetryDemand {
  /** @returns a function that withdraws it; calling it again does nothing */
  ask(devices: readonly string[]): () => void;
  isWanted(device: string): boolean;
  close(): void;
}

/** A page that moves from the fleet to a board and back does not start a board's reader three times. */
const LINGER_MS = 5000;

/** @param onChange hears of each board whose telemetry is wanted from now on, or no longer */
export const createTelemetryDemand = (
  onChange: (device: string, wanted: boolean) => void,
  lingerMs = LINGER_MS,
): TelemetryDemand => {
  const askers = new Map<string, number>();
  const lingering = new Map<string, NodeJS.Timeout>();

  const add = (device: string): void => {
    askers.set(device, (askers.get(device) ?? 0) + 1);
    const timer = lingering.get(device);
    clearTimeout(timer);
    lingering.delete(device);
    if (askers.get(device) === 1 && timer === undefined) onChange(device, true);
  };
  const remove = (device: string): void => {
    const left = (askers.get(device) ?? 1) - 1;
    if (left > 0) {
      askers.set(device, left);
      return;
    }
    askers.delete(device);
    const end = (): void => {
      lingering.delete(device);
      onChange(device, false);
    };
    lingering.set(device, setTimeout(end, lingerMs).unref());
  };

  return {
    ask(devices) {
      const mine = new Set(devices);
      for (const device of mine) add(device);
      return () => {
        for (const device of mine) remove(device);
        mine.clear();
      };
    },
    isWanted: (device) => askers.has(device) || lingering.has(device),
    close() {
      for (const timer of lingering.values()) clearTimeout(timer);
      lingering.clear();
    },
  };
};
