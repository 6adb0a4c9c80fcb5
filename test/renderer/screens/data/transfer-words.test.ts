import { expect, test } from "vitest";
import type { Transfer } from "#contract/views.ts";
import {
  progressText,
  type Sample,
  shortPath,
  speedOf,
  titleParts,
  withSample,
} from "#renderer/screens/data/transfer-words.ts";

const download = (more: Partial<Transfer> = {}): Transfer => ({
  name: "cifar10",
  what: "download",
  state: "running",
  startedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});
const after = (...samples: Sample[]): readonly Sample[] => samples.reduce<readonly Sample[]>(withSample, []);

test("the speed is that of the last seconds, not of the whole", () => {
  const samples = after(
    { at: 0, done: 0 },
    { at: 1000, done: 9_000_000 },
    { at: 6000, done: 10_000_000 },
    { at: 8000, done: 12_000_000 },
  );
  expect(speedOf(samples)).toBe(1_000_000);
});

test("a moment says nothing of a speed, and what began anew is measured anew", () => {
  expect(speedOf(after({ at: 0, done: 0 }, { at: 100, done: 5 }))).toBeUndefined();
  expect(
    speedOf(after({ at: 0, done: 100 }, { at: 1000, done: 200 }, { at: 2000, done: 10 })),
  ).toBeUndefined();
});

test("how far it is, in words", () => {
  expect(progressText(download(), undefined)).toBe("asking for it");
  expect(progressText(download({ done: 45_000_000, total: 170_000_000 }), 3_100_000)).toBe(
    "45.0 MB of 170 MB · 3.1 MB/s · 40 s left",
  );
  expect(progressText(download({ done: 45_000_000, total: 170_000_000 }), 0)).toBe("45.0 MB of 170 MB");
  expect(progressText(download({ done: 170, total: 170 }), 5)).toContain("checking");
  expect(progressText(download({ what: "register" }), undefined)).toBe("reading and examining it");
});

test("a path is cut in its middle and keeps both ends", () => {
  const path = `/home/somebody/${"a".repeat(100)}/fashion-mnist`;
  const short = shortPath(path, 40);
  expect(short).toHaveLength(40);
  expect(short.startsWith("/home/")).toBe(true);
  expect(short.endsWith("/fashion-mnist")).toBe(true);
  expect(shortPath("/data", 40)).toBe("/data");
});

test("a title in two parts; one without a bracket in one", () => {
  expect(titleParts("CIFAR-10 (50,000 pictures)")).toEqual({ title: "CIFAR-10", about: "50,000 pictures" });
  expect(titleParts("mine")).toEqual({ title: "mine", about: undefined });
});
