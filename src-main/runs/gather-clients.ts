import type { Study } from "#contract/study.ts";
import type { Control, DeviceSession, RunPorts } from "./ports.ts";
import { SILENT_MS, someOf } from "./waiting.ts";

/** How long a round waits for disconnected devices of earlier rounds before it continues without them. */
const REJOIN_SECONDS = 60;

/**
 * Waits until enough devices of the roster are connected, and returns those that are free, sorted by name; none when
 * the study is stopped or paused before there are enough.
 *
 * A study with `sampling.minAvailable` waits for this many devices, however long it takes, and for all that this
 * computer hosts; otherwise its draws would depend on which devices start faster. Without it, a run waits for the whole
 * fleet before its first round; later it gives missing devices `REJOIN_SECONDS` and then continues with those that are
 * connected. A device still busy with an earlier round counts as connected, but cannot be drawn.
 */
export const gatherClients = async (input: {
  readonly run: string;
  readonly round: number;
  readonly roster: readonly string[];
  /** Those of the roster that this computer hosts. All of them will join, so no draw happens before they have. */
  readonly hosted: readonly string[];
  readonly sampling: Study["sampling"];
  /** True once this process has held a round of this run: the fleet has been complete. */
  readonly met: boolean;
  readonly ports: Pick<RunPorts, "clients" | "emit" | "now">;
  readonly control: Control;
}): Promise<readonly DeviceSession[]> => {
  const { ports, sampling, control } = input;
  const known = new Set(input.roster);
  const startedAt = ports.now();
  const leastDrawn = Math.max(sampling.minFit, 1);
  for (;;) {
    control.now.throwIfAborted();
    const present = ports.clients.sessions().filter((s) => known.has(s.device));
    const free = present.filter((s) => !s.busy);
    const waited = ports.now() - startedAt;
    const waitedEnough = input.met && waited >= REJOIN_SECONDS * 1000;
    const impatient = control.startWithout?.isMade === true;
    const patient = impatient || (waitedEnough && sampling.minAvailable === undefined);
    const wanted = Math.max(patient ? 1 : (sampling.minAvailable ?? input.roster.length), leastDrawn);
    const missing = input.roster.filter((name) => !present.some((s) => s.device === name));
    const hostedAreHere = waitedEnough || impatient || !input.hosted.some((name) => missing.includes(name));
    if (hostedAreHere && present.length >= wanted && free.length >= leastDrawn) {
      control.startWithout?.grant();
      return free.toSorted((a, b) => (a.device < b.device ? -1 : 1));
    }
    if (control.afterRound.aborted || control.gate?.isClosed) return [];
    if (waited >= SILENT_MS) {
      const enough = present.length >= wanted && hostedAreHere;
      ports.emit({
        kind: "waiting",
        run: input.run,
        round: input.round,
        stage: "joining",
        for: enough
          ? "devices that are still busy with an earlier round"
          : `${someOf(missing)} to connect (${present.length} of ${Math.max(wanted, input.hosted.length)})`,
        sinceMs: waited,
        next: enough
          ? "They can be drawn again once they have answered."
          : missing.every((name) => input.hosted.includes(name))
            ? "They are starting on this computer."
            : "Start the missing clients.",
      });
    }
    await changed(ports, control);
  }
};

/** Resolves when the set of devices changes, when a person asks for something, or after a second. */
const changed = (ports: Pick<RunPorts, "clients">, control: Control): Promise<void> =>
  new Promise((resolve) => {
    const stops = [control.now, control.afterRound];
    const done = () => {
      clearTimeout(timer);
      for (const unsubscribe of subscriptions) unsubscribe?.();
      for (const stop of stops) stop.removeEventListener("abort", done);
      resolve();
    };
    // Pages hear every second which devices the round waits for.
    const timer = setTimeout(done, 1000);
    const subscriptions = [
      ports.clients.onChange(done),
      control.startWithout?.onMade(done),
      control.gate?.onClose(done),
    ];
    for (const stop of stops) stop.addEventListener("abort", done);
  });
