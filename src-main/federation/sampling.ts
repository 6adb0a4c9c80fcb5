/**
 * Which clients take part in a round (McMahan et al., "Communication-Efficient Learning of Deep Networks from
 * Decentralized Data", AISTATS 2017, algorithm 1; the size rule with a floor is Flower's).
 */
import { createRandom, deriveSeed } from "./random.ts";

export interface Draw {
  /** The run's seed; algorithms that are to be compared share it. */
  readonly seed: number;
  /** From 1. */
  readonly round: number;
  /** Ids of the clients that are connected, in any order; a repeated id counts once. */
  readonly available: readonly string[];
  /** Share of the available clients, 0 … 1. */
  readonly fraction: number;
  /** Fewest clients to draw. */
  readonly minFit: number;
}

/**
 * Draws max(⌊n · fraction⌋, minFit, 1) of the n available clients, all n if there are fewer, uniformly and without
 * replacement. The draw depends on nothing but its arguments: the ids are sorted first and the generator is the
 * round's own.
 * @returns the drawn ids, sorted by code unit; empty if none is available.
 */
export const drawClients = ({ seed, round, available, fraction, minFit }: Draw): string[] => {
  const ids = [...new Set(available)].sort();
  // 0.29 · 100 is 28.999… in binary: the tolerance gives the floor that the written numbers mean.
  const wanted = Math.max(Math.floor(ids.length * fraction + 1e-9), minFit, 1);
  if (wanted >= ids.length) return ids;
  const random = createRandom(deriveSeed(seed, "draw", round));
  return random.shuffle(ids).slice(0, wanted).sort();
};
