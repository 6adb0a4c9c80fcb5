import type { Study } from "#contract/study.ts";
import type { Control, RunPorts, Session } from "./ports.ts";

/** How long a round waits for devices that took part before and are away, before it goes on without them. */
export const REJOIN_SECONDS = 60;

/**
 * Waits until enough devices of the roster are connected, and returns those that are free, sorted by name.
 *
 * A study that sets `sampling.minAvailable` waits for so many, as long as it takes. Without it, a run waits for the
 * whole fleet before its first round; later it gives missing devices `REJOIN_SECONDS` and then goes on with those
 * that are there. A device still busy with an earlier round counts as connected, but cannot be drawn.
 */
export const gatherClients = async (input: {
  readonly run: string;
  readonly round: number;
  readonly roster: readonly string[];
  readonly sampling: Study["sampling"];
  /** True once a round of this run was held by this process: the fleet has been complete. */
  readonly met: boolean;
  readonly ports: Pick<RunPorts, "clients" | "emit" | "now">;
  readonly control: Control;
}): Promise<readonly Session[]> => {
  const { ports, sampling, control } = input;
  const known = new Set(input.roster);
  const startedAt = ports.now();
  const leastDrawn = Math.max(sampling.minFit, 1);
  for (;;) {
    control.now.throwIfAborted();
    const present = ports.clients.sessions().filter((s) => known.has(s.device));
    const free = present.filter((s) => !s.busy);
    const waited = ports.now() - startedAt;
    const patient = input.met && sampling.minAvailable === undefined && waited >= REJOIN_SECONDS * 1000;
    const wanted = sampling.minAvailable ?? (patient ? leastDrawn : input.roster.length);
    const enough = present.length >= Math.max(wanted, leastDrawn);
    if (enough && free.length >= leastDrawn) {
      return free.toSorted((a, b) => (a.device < b.device ? -1 : 1));
    }
    if (control.stopAfterRound) return [];
    if (waited >= 2000) {
      const missing = input.roster.filter((name) => !present.some((s) => s.device === name));
      const shown = missing.slice(0, 3).join(", ");
      ports.emit({
        kind: "waiting",
        run: input.run,
        round: input.round,
        stage: "joining",
        for:
          missing.length === 0
            ? "devices that are still busy with an earlier round"
            : `${missing.length > 3 ? `${shown} and ${missing.length - 3} more` : shown} to connect (${present.length} of ${Math.max(wanted, leastDrawn)})`,
        sinceMs: waited,
        next: "Start the missing clients, or press Ctrl-C and lower sampling.minAvailable.",
      });
    }
    await changed(ports, control.now);
  }
};

/** Resolves when the set of devices changes, the study is stopped, or a second has gone by. */
const changed = (ports: Pick<RunPorts, "clients">, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, 1000);
    const unsubscribe = ports.clients.onChange(done);
    signal.addEventListener("abort", done);
  });
