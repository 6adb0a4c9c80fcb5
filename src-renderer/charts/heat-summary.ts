/** Who holds what, in numbers that a sentence can say. */
export interface HeatFacts {
  readonly devices: number;
  readonly classes: number;
  readonly samples: number;
  /** Fewest and most per device. */
  readonly classesHeld: readonly [number, number];
  readonly samplesHeld: readonly [number, number];
  /** The largest number on the map: its darkest colour. */
  readonly most: number;
}

/** @param histogram histogram[k][c] = samples of class c on device k */
export const heatFacts = (histogram: readonly (readonly number[])[], classes: number): HeatFacts => {
  const held = histogram.map((row) => row.filter((n) => n > 0).length);
  const sums = histogram.map((row) => row.reduce((sum, n) => sum + n, 0));
  const range = (of: readonly number[]): readonly [number, number] =>
    of.length === 0
      ? [0, 0]
      : of.reduce<readonly [number, number]>(
          ([low, high], n) => [Math.min(low, n), Math.max(high, n)],
          [Number.POSITIVE_INFINITY, 0],
        );
  return {
    devices: histogram.length,
    classes,
    samples: sums.reduce((sum, n) => sum + n, 0),
    classesHeld: range(held),
    samplesHeld: range(sums),
    most: histogram.reduce((most, row) => row.reduce((a, n) => Math.max(a, n), most), 0),
  };
};

const from = ([low, high]: readonly [number, number], write: (n: number) => string): string =>
  low === high ? write(low) : `${write(low)} to ${write(high)}`;

/** "10 devices hold 6,000 images: 2 to 4 of 10 classes and 590 to 610 images each." */
export const heatSentence = (facts: HeatFacts, write: (n: number) => string = String): string => {
  const who = facts.devices === 1 ? "1 device holds" : `${write(facts.devices)} devices hold`;
  return `${who} ${write(facts.samples)} images: ${from(facts.classesHeld, write)} of ${write(facts.classes)} classes and ${from(facts.samplesHeld, write)} images each.`;
};
