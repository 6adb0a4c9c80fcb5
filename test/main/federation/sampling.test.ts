import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawClients } from "#main/federation/sampling.ts";

const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `device-${i}`);

describe("drawClients", () => {
  it("draws the same for ever", () => {
    const draw = (round: number) =>
      drawClients({ seed: 1, round, available: ids(10), fraction: 0.3, minFit: 1 });
    expect([draw(1), draw(2), draw(3)]).toMatchInlineSnapshot(`
      [
        [
          "device-0",
          "device-1",
          "device-7",
        ],
        [
          "device-0",
          "device-5",
          "device-8",
        ],
        [
          "device-1",
          "device-4",
          "device-8",
        ],
      ]
    `);
  });

  it("draws max(floor(n · fraction), minFit, 1) of n, sorted, whatever the order of the ids", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 1, max: 1000 }),
        (n, percent, minFit, seed, round) => {
          const available = ids(n);
          const input = { seed, round, available, fraction: percent / 100, minFit };
          const drawn = drawClients(input);
          // In whole numbers, where 29 % of 100 are 29.
          expect(drawn).toHaveLength(Math.min(n, Math.max(Math.floor((n * percent) / 100), minFit, 1)));
          expect(drawn).toEqual([...new Set(drawn)].sort());
          expect(drawn.every((id) => available.includes(id))).toBe(true);
          expect(drawClients({ ...input, available: [...available].reverse() })).toEqual(drawn);
        },
      ),
    );
  });

  it("draws everybody equally often over the rounds", () => {
    const counts = new Map<string, number>();
    for (let round = 1; round <= 4000; round += 1) {
      for (const id of drawClients({ seed: 9, round, available: ids(10), fraction: 0.3, minFit: 1 })) {
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 1200)).toBeLessThan(150);
  });

  it("draws nobody where nobody is", () => {
    expect(drawClients({ seed: 1, round: 1, available: [], fraction: 1, minFit: 2 })).toEqual([]);
  });
});
