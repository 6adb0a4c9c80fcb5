import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PartitionSettings } from "#contract/study.ts";
import { canonicalPartition, makePartition } from "#main/federation/partition.ts";
import { createRandom } from "#main/federation/random.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
/** n labels of `classes` balanced classes in a mixed order. */
const labelsOf = (n: number, classes: number): Uint8Array =>
  createRandom(n).shuffle(Uint8Array.from({ length: n }, (_, i) => i % classes));

const make = (
  settings: PartitionSettings,
  clients: number,
  options: { n?: number; tests?: number; classes?: number; seed?: number; labels?: Uint8Array } = {},
) => {
  const classes = options.classes ?? 10;
  return makePartition({
    settings,
    trainLabels: options.labels ?? labelsOf(options.n ?? 1000, classes),
    testLabels: labelsOf(options.tests ?? 200, classes),
    classes,
    clients,
    seed: options.seed ?? 1,
    sha256,
  });
};

const partitionOf = (made: ReturnType<typeof make>) => {
  if (!made.ok) throw new Error(`${made.failure.path}: ${made.failure.message}`);
  return made.value;
};
const pathOf = (made: ReturnType<typeof make>) => (made.ok ? "ok" : made.failure.path);

const settings = fc.oneof(
  fc.constant<PartitionSettings>({ kind: "iid" }),
  fc.integer({ min: 1, max: 5 }).map((s): PartitionSettings => ({ kind: "shards", shardsPerClient: s })),
  fc
    .tuple(fc.constantFrom(0.05, 0.3, 1, 100), fc.integer({ min: 1, max: 5 }))
    .map(([alpha, minSamples]): PartitionSettings => ({ kind: "dirichlet", alpha, minSamples })),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0.7, 1), fc.constantFrom(0, 0.3))
    .map(([classes, high, low]): PartitionSettings => ({ kind: "class-skew", classes, high, low })),
);

describe("every partition", () => {
  it("owns each sample at most once, gives everybody some, and says what it did", () => {
    let possible = 0;
    fc.assert(
      fc.property(
        settings,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 20, max: 400 }),
        fc.nat(1000),
        (kind, clients, classes, n, seed) => {
          const labels = createRandom(seed).shuffle(
            // Unbalanced on purpose.
            Uint8Array.from({ length: n }, (_, i) =>
              Math.min(classes - 1, Math.floor(Math.sqrt(i)) % classes),
            ),
          );
          const made = make(kind, clients, { labels, classes, seed });
          if (!made.ok) {
            expect(made.failure.path).toMatch(/^(partition\.\w+|fleet\.virtual)$/);
            expect(made.failure.message).not.toBe("");
            return;
          }
          possible += 1;
          const { train, test, histogram, sha256: hash } = made.value;
          for (const [lists, count] of [
            [train, n],
            [test, 200],
          ] as const) {
            const all = lists.flat();
            expect(new Set(all).size).toBe(all.length);
            expect(all.every((i) => Number.isInteger(i) && i >= 0 && i < count)).toBe(true);
            for (const list of lists) expect(list).toEqual([...list].sort((a, b) => a - b));
          }
          expect(train).toHaveLength(clients);
          expect(test).toHaveLength(clients);
          expect(train.every((list) => list.length > 0)).toBe(true);
          const unowned = kind.kind === "class-skew" && kind.low === 0;
          if (!unowned) expect(train.flat()).toHaveLength(n);
          train.forEach((list, k) => {
            const counts = new Array(classes).fill(0);
            for (const i of list) counts[labels[i]!] += 1;
            expect(histogram[k]).toEqual(counts);
          });
          // The test part follows the training part: within one sample of its share, class by class.
          const testLabels = labelsOf(200, classes);
          for (let c = 0; c < classes; c += 1) {
            const total = histogram.reduce((sum, h) => sum + h[c]!, 0);
            const available = testLabels.filter((l) => l === c).length;
            test.forEach((list, k) => {
              const got = list.filter((i) => testLabels[i] === c).length;
              const share = total === 0 ? 0 : (available * histogram[k]![c]!) / total;
              expect(Math.abs(got - share)).toBeLessThan(1);
            });
            if (total > 0) expect(test.flat().filter((i) => testLabels[i] === c)).toHaveLength(available);
          }
          expect(hash).toBe(sha256(canonicalPartition(made.value)));
          expect(make(kind, clients, { labels, classes, seed })).toEqual(made);
        },
      ),
      { numRuns: 100 },
    );
    expect(possible).toBeGreaterThan(30);
  });

  it("differs by seed and by nothing else", () => {
    for (const kind of [
      { kind: "iid" },
      { kind: "shards", shardsPerClient: 2 },
      { kind: "dirichlet", alpha: 0.5, minSamples: 1 },
      { kind: "class-skew", classes: 2, high: 0.7, low: 0.3 },
    ] as const) {
      const hash = (seed: number) => partitionOf(make(kind, 10, { seed })).sha256;
      expect(hash(1)).not.toBe(hash(2));
    }
  });

  it("is the same for ever", () => {
    const hash = (kind: PartitionSettings) =>
      partitionOf(make(kind, 4, { n: 40, tests: 20 })).sha256.slice(0, 16);
    expect([
      hash({ kind: "iid" }),
      hash({ kind: "shards", shardsPerClient: 5 }),
      hash({ kind: "shards", shardsPerClient: 2 }),
      hash({ kind: "dirichlet", alpha: 0.5, minSamples: 3 }),
      hash({ kind: "class-skew", classes: 2, high: 0.7, low: 0.3 }),
    ]).toMatchInlineSnapshot(`
      [
        "ecc93f383ae500e2",
        "d8dfb0b7272ee0fd",
        "8b43c3a35317199d",
        "cd644c289c07d200",
        "e6aa072261e6ea84",
      ]
    `);
  });

  it("hashes JSON without white space", () => {
    expect(canonicalPartition({ train: [[0, 5], [1]], test: [[], [3]] })).toBe(
      '{"train":[[0,5],[1]],"test":[[],[3]]}',
    );
  });

  it("deals 60,000 samples to 100 clients in well under a second", () => {
    const labels = labelsOf(60_000, 10);
    for (const kind of [
      { kind: "iid" },
      { kind: "shards", shardsPerClient: 2 },
      { kind: "dirichlet", alpha: 0.1, minSamples: 10 },
      { kind: "class-skew", classes: 2, high: 0.7, low: 0.3 },
    ] as const) {
      const started = process.cpuUsage();
      expect(partitionOf(make(kind, 100, { labels, tests: 10_000 })).train).toHaveLength(100);
      const { user, system } = process.cpuUsage(started);
      expect((user + system) / 1e6).toBeLessThan(1);
    }
  });

  it("needs a sample per client", () => {
    expect(pathOf(make({ kind: "iid" }, 11, { n: 10 }))).toBe("fleet.virtual");
    expect(() => make({ kind: "iid" }, 2, { labels: Uint8Array.of(1, 10) })).toThrow(RangeError);
  });
});

describe("iid", () => {
  it("spreads the remainder", () => {
    const sizes = partitionOf(make({ kind: "iid" }, 7, { n: 100 })).train.map((list) => list.length);
    expect(sizes).toEqual([15, 15, 14, 14, 14, 14, 14]);
  });
});

describe("shards", () => {
  it("deals every class equally often where the shards divide (FedNTD)", () => {
    const { histogram } = partitionOf(make({ kind: "shards", shardsPerClient: 2 }, 10));
    for (const counts of histogram) {
      expect(counts.reduce((a, b) => a + b, 0)).toBe(100);
      expect(counts.filter((n) => n > 0).length).toBeLessThanOrEqual(2);
    }
  });

  it("sorts and cuts where they do not (McMahan): each shard straddles two classes at most", () => {
    const { histogram, train } = partitionOf(make({ kind: "shards", shardsPerClient: 2 }, 7));
    for (const counts of histogram) expect(counts.filter((n) => n > 0).length).toBeLessThanOrEqual(4);
    const sizes = train.map((list) => list.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(2);
  });

  it("says when there are more shards than samples", () => {
    expect(pathOf(make({ kind: "shards", shardsPerClient: 101 }, 10))).toBe("partition.shardsPerClient");
  });
});

describe("dirichlet", () => {
  it("is skewed at a small alpha and even at a large one", () => {
    const largestShare = (alpha: number) => {
      const { histogram } = partitionOf(make({ kind: "dirichlet", alpha, minSamples: 1 }, 10, { n: 5000 }));
      return Math.max(...histogram.map((h) => Math.max(...h) / h.reduce((a, b) => a + b, 0)));
    };
    expect(largestShare(0.05)).toBeGreaterThan(0.7);
    expect(largestShare(1000)).toBeLessThan(0.2);
  });

  it("keeps minSamples, and says what to change when it cannot", () => {
    const { train } = partitionOf(make({ kind: "dirichlet", alpha: 0.3, minSamples: 20 }, 10));
    expect(Math.min(...train.map((list) => list.length))).toBeGreaterThanOrEqual(20);
    expect(pathOf(make({ kind: "dirichlet", alpha: 1, minSamples: 101 }, 10))).toBe("partition.minSamples");
    expect(pathOf(make({ kind: "dirichlet", alpha: 0.5, minSamples: 100 }, 10))).toBe("partition.alpha");
  });
});

describe("class-skew", () => {
  it("prefers main classes by high to low, and deals them evenly", () => {
    const made = partitionOf(make({ kind: "class-skew", classes: 2, high: 0.8, low: 0.2 }, 5, { n: 20_000 }));
    // Five clients of two main classes: each class has one strong owner, 0.8 against 4 · 0.2: half the class.
    for (let c = 0; c < 10; c += 1) {
      const shares = made.histogram.map((h) => h[c]! / 2000).sort((a, b) => b - a);
      expect(Math.abs(shares[0]! - 0.5)).toBeLessThan(0.06);
      expect(Math.abs(shares[1]! - 0.125)).toBeLessThan(0.05);
    }
  });

  it("leaves classes unowned that are nobody's when low is 0", () => {
    const { histogram, train } = partitionOf(make({ kind: "class-skew", classes: 2, high: 1, low: 0 }, 3));
    expect(train.flat()).toHaveLength(600);
    for (const counts of histogram) expect(counts.filter((n) => n > 0)).toHaveLength(2);
  });

  it("says what to change when it cannot", () => {
    expect(pathOf(make({ kind: "class-skew", classes: 11, high: 1, low: 0 }, 3))).toBe("partition.classes");
    expect(pathOf(make({ kind: "class-skew", classes: 2, high: 0, low: 0 }, 3))).toBe("partition.high");
    expect(pathOf(make({ kind: "class-skew", classes: 10, high: 0, low: 1 }, 3))).toBe("partition.high");
  });
});
