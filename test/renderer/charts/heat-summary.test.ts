import { describe, expect, it } from "vitest";
import { heatFacts, heatSentence } from "#renderer/charts/heat-summary.ts";

describe("who holds what, in a sentence", () => {
  it("names the fewest and the most", () => {
    const facts = heatFacts(
      [
        [10, 0, 5],
        [0, 0, 30],
      ],
      3,
    );
    expect(facts).toEqual({
      devices: 2,
      classes: 3,
      samples: 45,
      classesHeld: [1, 2],
      samplesHeld: [15, 30],
      most: 30,
    });
    expect(heatSentence(facts)).toBe(
      "2 devices hold 45 images: 1 to 2 of 3 classes and 15 to 30 images each.",
    );
  });

  it("names one number where all hold the same, and one device as one", () => {
    expect(heatSentence(heatFacts([[2, 2]], 2))).toBe(
      "1 device holds 4 images: 2 of 2 classes and 4 images each.",
    );
  });

  it("has nothing to say of an empty fleet, and no infinity", () => {
    expect(heatFacts([], 10)).toMatchObject({ classesHeld: [0, 0], samplesHeld: [0, 0], most: 0 });
  });
});
