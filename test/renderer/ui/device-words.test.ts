import { expect, test } from "vitest";
import { leftText, profileText, workText } from "#renderer/ui/device-words.ts";

test("a profile in words", () => {
  expect(profileText({ slowness: 1, dropOut: 0, crash: 0 })).toBe("full speed");
  expect(profileText({ slowness: 2.5, dropOut: 0.07, crash: 0.005 })).toBe(
    "2.5× slower · drop-out 7% · crash 0.5%",
  );
});

test.each([
  ["sent away", "the study ended"],
  ["left when it was sent away", "the study ended"],
  ["sent away before it answered", "the study ended before it answered"],
  ["its process died", "its process died"],
])("a device that has left: %s", (reason, words) => {
  expect(leftText(reason)).toBe(words);
});

test("what a device does is said in words, and a failure by its cause", () => {
  expect(workText({ device: "a", phase: "folded" })).toBe("done");
  expect(workText({ device: "a", phase: "late" })).toBe("late");
  const failure = {
    code: "connection-lost",
    stage: "fit",
    cause: "it left in the middle of the round",
  } as const;
  expect(workText({ device: "a", phase: "failed", failure })).toBe("it left in the middle of the round");
});
