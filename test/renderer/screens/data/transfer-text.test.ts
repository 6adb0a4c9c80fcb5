import { expect, test } from "vitest";
import type { Transfer } from "#contract/views.ts";
import {
  progressText,
  speedOf,
  type TransferSample,
  withSample,
} from "#renderer/screens/data/transfer-text.ts";

const download = (more: Partial<Transfer> = {}): Transfer => ({
  name: "cifar10",
  what: "download",
  state: "running",
  startedAt: "2026-01-01T00:00:00.000Z",
  ...more,
});
const after = (...samples: TransferSample[]): readonly TransferSample[] =>
  samples.reduce<readonly TransferSample[]>(withSample, []);

test("the speed is that of the last seconds, not of the whole", () => {
  const samples = after(
    { at: 0, done: 0 },
    { at: 1000, done: 9_000_000 },
    { at: 6000, done: 10_000_000 },
    { at: 8000, done: 12_000_000 },
  );
  expect(speedOf(samples)).toBe(1_000_000);
});

test("there is no speed after a moment, nor right after a restart", () => {
  expect(speedOf(after({ at: 0, done: 0 }, { at: 100, done: 5 }))).toBeUndefined();
  expect(
    speedOf(after({ at: 0, done: 100 }, { at: 1000, done: 200 }, { at: 2000, done: 10 })),
  ).toBeUndefined();
});

test("how far it is, in words", () => {
  expect(progressText(download(), undefined)).toBe("connecting");
  expect(progressText(download({ done: 45_000_000, total: 170_000_000 }), 3_100_000)).toBe(
    "45.0 MB of 170 MB · 3.1 MB/s · 40 s left",
  );
  expect(progressText(download({ done: 45_000_000, total: 170_000_000 }), 0)).toBe("45.0 MB of 170 MB");
  expect(progressText(download({ done: 170, total: 170 }), 5)).toContain("verifying");
  expect(progressText(download({ what: "register" }), undefined)).toBe("reading and checking the files");
});
