import { describe, expect, it } from "vitest";
import type { LiveRound } from "#contract/views.ts";
import { liveLanes, recordedLanes } from "#renderer/charts/lanes.ts";

const startedAt = "2026-11-24T10:00:00.000Z";
const now = Date.parse(startedAt) + 4000;

const live: LiveRound = {
  run: "r-1",
  round: 3,
  startedAt,
  devices: [
    { device: "late", phase: "training", fraction: 0.25, sentMs: 400, trainingMs: 600 },
    { device: "done", phase: "folded", sentMs: 400, uploadingMs: 2000, endedMs: 2400 },
    {
      device: "gone",
      phase: "failed",
      sentMs: 400,
      endedMs: 1000,
      failure: { code: "connection-lost", stage: "fit", cause: "its connection was lost" },
    },
  ],
};

describe("lanes of the round in progress", () => {
  it("take the usual time of a round as their whole length, so that they grow", () => {
    const [late] = liveLanes(live, now, 8000);
    expect(late?.parts).toEqual([
      { part: "download", from: 0, to: 0.05 },
      { part: "compute", from: 0.05, to: 0.5 },
    ]);
    expect(late?.text).toBe("training · 25%");
  });

  it("never leave the lane when a round takes longer than usual", () => {
    for (const lane of liveLanes(live, now, 1000)) {
      for (const { from, to } of lane.parts) {
        expect(from).toBeGreaterThanOrEqual(0);
        expect(to).toBeLessThanOrEqual(1);
      }
    }
  });

  it("show a wait for who is done, and the cause for who failed", () => {
    const [, done, gone] = liveLanes(live, now);
    expect(done?.parts.map((p) => p.part)).toEqual(["download", "compute", "upload", "wait"]);
    expect(gone?.parts.at(-1)).toEqual({ part: "failed", from: 0.25, to: 1 });
    expect(gone?.text).toBe("its connection was lost");
    expect(gone?.bad).toBe(true);
  });
});

describe("lanes of a recorded round", () => {
  it("share the scale of the longest", () => {
    const [quick, slow] = recordedLanes([
      {
        device: "quick",
        status: "folded",
        bytesDown: 1,
        bytesUp: 1,
        metrics: {},
        timing: { downloadMs: 100, computeMs: 300, uploadMs: 100, waitMs: 500 },
      },
      {
        device: "slow",
        status: "folded",
        bytesDown: 1,
        bytesUp: 1,
        metrics: {},
        timing: { downloadMs: 100, computeMs: 800, uploadMs: 100, waitMs: 0 },
      },
    ]);
    expect(quick?.parts.find((p) => p.part === "wait")).toEqual({ part: "wait", from: 0.5, to: 1 });
    expect(slow?.parts.find((p) => p.part === "compute")).toEqual({ part: "compute", from: 0.1, to: 0.9 });
  });
});
