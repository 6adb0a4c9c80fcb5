/** Rows appear and disappear together: the lab is told once. */
const CALM_MS = 100;
const AGAIN_MS = 1000;

export interface TelemetryWatchOptions {
  readonly client: {
    readonly boards: {
      watchTelemetry(
        input: { names: string[] },
        options: { signal: AbortSignal },
      ): Promise<AsyncIterable<unknown>>;
    };
  };
  /** Boards that the page no longer shows: what they last said grows old from now on. */
  readonly onLeft: (names: readonly string[]) => void;
}

/** Keeps the lab reading the telemetry of the boards that the page shows, and of no others. */
export const createTelemetryWatch = ({ client, onLeft }: TelemetryWatchOptions) => {
  const shown = new Map<string, number>();
  let watched: readonly string[] = [];
  let stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** The lab reads them for as long as the stream is open; where the connection broke, it is opened again. */
  const hold = async (names: string[], signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const stream = await client.boards.watchTelemetry({ names }, { signal });
        for await (const _ of stream);
      } catch {
        // The connection reports that itself.
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  };

  const update = (): void => {
    timer = undefined;
    const names = [...shown.keys()].sort();
    if (names.join(" ") === watched.join(" ")) return;
    const left = watched.filter((name) => !shown.has(name));
    watched = names;
    stop.abort();
    stop = new AbortController();
    if (names.length > 0) void hold(names, stop.signal);
    if (left.length > 0) onLeft(left);
  };
  const soon = (): void => {
    if (timer === undefined) timer = setTimeout(update, CALM_MS);
  };

  /** While something shows a board's telemetry. @returns what to call when it no longer does */
  return (name: string): (() => void) => {
    shown.set(name, (shown.get(name) ?? 0) + 1);
    soon();
    return () => {
      const left = (shown.get(name) ?? 1) - 1;
      if (left > 0) shown.set(name, left);
      else shown.delete(name);
      soon();
    };
  };
};
