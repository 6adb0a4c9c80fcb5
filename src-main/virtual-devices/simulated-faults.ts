import { createRandom, deriveSeed } from "#main/federation/random.ts";
import type { FaultProfile } from "./worker-messages.ts";

/** How a device's training of one round ends: as it should, with a cut connection, or with a dead process. */
type Fault = "none" | "drop" | "crash";

/**
 * Draws what a device does in a round. It depends on nothing but seeds, name and round, so a study that is run again
 * or resumed has the same simulated faults, on whichever worker the device lives. `initSeed` is the same for all
 * algorithms of a trial and differs between trials: algorithms are compared under the same faults, and trials stay
 * independent. A crash takes precedence over a drop-out.
 *
 * @param profile probabilities per round, 0 to 1
 */
export const drawFault = (
  seeds: { readonly study: number; readonly initSeed: number },
  device: string,
  round: number,
  profile: FaultProfile,
): Fault => {
  const happens = (what: string, probability: number): boolean =>
    probability > 0 &&
    createRandom(deriveSeed(seeds.study, seeds.initSeed, device, round, what)).next() < probability;
  if (happens("crash", profile.crash)) return "crash";
  return happens("drop", profile.dropOut) ? "drop" : "none";
};
