import { expect, test } from "vitest";
import { drawFault } from "#main/virtual-devices/simulated-faults.ts";

const seeds = { study: 1, initSeed: 2 };
const draws = (profile: { dropOut: number; crash: number }, more = seeds) =>
  Array.from({ length: 2000 }, (_, i) =>
    drawFault(more, `virtual-${(i % 20) + 1}`, 1 + Math.floor(i / 20), { slowness: 1, ...profile }),
  );
const share = (ends: readonly string[], end: string) => ends.filter((e) => e === end).length / ends.length;

test("mishaps come as often as their probability says, independently of each other", () => {
  const ends = draws({ dropOut: 0.3, crash: 0.1 });
  expect(share(ends, "crash")).toBeCloseTo(0.1, 1);
  expect(share(ends, "drop")).toBeCloseTo(0.9 * 0.3, 1);
  expect(new Set(draws({ dropOut: 0, crash: 0 }))).toEqual(new Set(["none"]));
  expect(new Set(draws({ dropOut: 1, crash: 0 }))).toEqual(new Set(["drop"]));
  expect(new Set(draws({ dropOut: 1, crash: 1 }))).toEqual(new Set(["crash"]));
});

test("a study that is run again has the same simulated faults; another trial has others", () => {
  const profile = { dropOut: 0.5, crash: 0 };
  expect(draws(profile)).toEqual(draws(profile));
  expect(draws(profile)).not.toEqual(draws(profile, { study: 1, initSeed: 3 }));
  expect(draws(profile)).not.toEqual(draws(profile, { study: 2, initSeed: 2 }));
});
