import { expect, test } from "vitest";
import { memoryText, shortImage, shortModel } from "#renderer/screens/board/board-words.ts";
import { MODELS } from "#test/fakes/board-examples.ts";

test("models and images are shortened to what tells them apart", () => {
  expect(MODELS.map(({ model }) => shortModel(model))).toEqual([
    "Jetson Xavier NX",
    "Raspberry Pi 4 B",
    "Raspberry Pi 5 B",
    "Jetson Orin Nano",
    "Raspberry Pi 3 B+",
  ]);
  expect(shortImage("fedfleet-client:arm64-9b20")).toBe("arm64-9b20");
  expect(shortModel("Developer Kit")).toBe("Developer Kit");
});

test("memory is said in one unit", () => {
  const at = "2026-03-01T10:00:00.000Z";
  expect(memoryText({ at, memoryUsedBytes: 1.44e9, memoryBytes: 3.9e9 })).toBe("1.4 of 3.9 GB");
  expect(memoryText({ at, memoryUsedBytes: 4e8, memoryBytes: 9.5e8 })).toBe("400 of 950 MB");
  expect(memoryText({ at })).toBeUndefined();
  expect(memoryText(undefined)).toBeUndefined();
});
