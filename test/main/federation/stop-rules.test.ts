import { describe, expect, it } from "vitest";
import { metricsOf } from "#contract/tasks/tasks.ts";
import { roundShouldClose, runShouldStop } from "#main/federation/stop-rules.ts";

describe("roundShouldClose", () => {
  const status = {
    drawn: 10,
    aggregated: 0,
    pending: 10,
    elapsedMs: 0,
    sinceMinUpdatesMs: undefined,
    stop: { graceSeconds: 0 },
  };

  it("waits for all without a rule, and closes when all are in or have failed", () => {
    expect(roundShouldClose({ ...status, elapsedMs: 1e9 })).toEqual({ close: false });
    expect(roundShouldClose({ ...status, aggregated: 7, pending: 0 })).toEqual({ close: true });
    expect(roundShouldClose({ ...status, aggregated: 0, pending: 0 })).toEqual({ close: true });
  });

  it("closes at the deadline", () => {
    const stop = { graceSeconds: 0, deadlineSeconds: 60 };
    expect(roundShouldClose({ ...status, stop, elapsedMs: 59_000 })).toEqual({ close: false, waitMs: 1000 });
    expect(roundShouldClose({ ...status, stop, elapsedMs: 60_000 })).toEqual({ close: true });
  });

  it("closes after k of n and the grace period, or the deadline if that is earlier", () => {
    const stop = { graceSeconds: 5, minUpdates: 6, deadlineSeconds: 60 };
    expect(roundShouldClose({ ...status, stop, aggregated: 5, pending: 5, elapsedMs: 1000 })).toEqual({
      close: false,
      waitMs: 59_000,
    });
    const enough = { ...status, stop, aggregated: 6, pending: 4 };
    expect(roundShouldClose({ ...enough, elapsedMs: 1000, sinceMinUpdatesMs: 1000 })).toEqual({
      close: false,
      waitMs: 4000,
    });
    expect(roundShouldClose({ ...enough, elapsedMs: 9000, sinceMinUpdatesMs: 5000 })).toEqual({
      close: true,
    });
    expect(roundShouldClose({ ...enough, elapsedMs: 58_000, sinceMinUpdatesMs: 0 })).toEqual({
      close: false,
      waitMs: 2000,
    });
    const noGrace = { graceSeconds: 0, minUpdates: 6 };
    expect(roundShouldClose({ ...enough, stop: noGrace, sinceMinUpdatesMs: 0 })).toEqual({ close: true });
  });
});

describe("runShouldStop", () => {
  const rounds = (accuracies: (number | null)[], losses: (number | null)[] = accuracies.map(() => null)) =>
    accuracies.map((accuracy, i) => ({ metrics: { accuracy, loss: losses[i]! } }));
  const metrics = metricsOf({ task: "classification" });
  const shouldStop = (input: Omit<Parameters<typeof runShouldStop>[0], "metrics">) =>
    runShouldStop({ ...input, metrics });

  it("goes on without rounds or without rules", () => {
    expect(
      shouldStop({ rounds: [], stop: { graceSeconds: 0, target: "accuracy >= 0", patience: 1 } }),
    ).toEqual({
      stop: false,
    });
    expect(shouldStop({ rounds: rounds([0.1, 0.1, 0.1]), stop: { graceSeconds: 0 } })).toEqual({
      stop: false,
    });
  });

  it("stops at the target, from either side, and says so", () => {
    const stop = { graceSeconds: 0, target: " accuracy>= 0.9 " };
    expect(shouldStop({ rounds: rounds([0.95, 0.89]), stop })).toEqual({ stop: false });
    expect(shouldStop({ rounds: rounds([0.5, 0.9]), stop })).toEqual({
      stop: true,
      reason: "accuracy 0.9 meets the target accuracy >= 0.9",
    });
    const loss = { graceSeconds: 0, target: "loss <= 0.3" };
    expect(shouldStop({ rounds: rounds([null], [0.31]), stop: loss }).stop).toBe(false);
    expect(shouldStop({ rounds: rounds([null], [0.3]), stop: loss }).stop).toBe(true);
    expect(shouldStop({ rounds: rounds([0.9], [null]), stop: loss }).stop).toBe(false);
  });

  it("loses patience after so many rounds without a better accuracy", () => {
    const stop = { graceSeconds: 0, patience: 3 };
    expect(shouldStop({ rounds: rounds([0.5, 0.6, 0.6, 0.55]), stop })).toEqual({ stop: false });
    expect(shouldStop({ rounds: rounds([0.5, 0.6, 0.6, 0.55, null]), stop })).toEqual({
      stop: true,
      reason: "no better accuracy than 0.6 (round 2) in 3 rounds",
    });
    expect(shouldStop({ rounds: rounds([0.5, 0.6, 0.6, 0.55, 0.61]), stop })).toEqual({ stop: false });
  });

  it("looks at the loss where no accuracy is known, and at nothing where neither is", () => {
    const stop = { graceSeconds: 0, patience: 2 };
    const none = [null, null, null, null];
    expect(shouldStop({ rounds: rounds(none, [2, 1, 1.5, Number.NaN]), stop })).toEqual({
      stop: true,
      reason: "no better loss than 1 (round 2) in 2 rounds",
    });
    expect(shouldStop({ rounds: rounds(none, [2, 1, 1.5, 0.9]), stop })).toEqual({ stop: false });
    expect(shouldStop({ rounds: rounds(none), stop })).toEqual({ stop: false });
  });

  it("ends at a metric that clients report, and at no part of every object", () => {
    const stop = { graceSeconds: 0, target: "rank10 >= 0.4" };
    const reported = [0.3, null, 0.4].map((rank10) => ({ metrics: { accuracy: null, loss: 1, rank10 } }));
    expect(shouldStop({ rounds: reported.slice(0, 1), stop })).toEqual({ stop: false });
    expect(shouldStop({ rounds: reported.slice(0, 2), stop })).toEqual({ stop: false });
    expect(shouldStop({ rounds: reported, stop })).toEqual({
      stop: true,
      reason: "rank10 0.4 meets the target rank10 >= 0.4",
    });
    expect(shouldStop({ rounds: reported, stop: { graceSeconds: 0, target: "constructor >= -1" } })).toEqual({
      stop: false,
    });
  });

  it("judges patience by the primary metric, in its own direction", () => {
    const stop = { graceSeconds: 0, patience: 2 };
    const values = [5, 4, 4.5, 4.25].map((seconds) => ({ metrics: { seconds, accuracy: 0.1 } }));
    const seconds = { id: "seconds", better: "lower" } as const;
    expect(runShouldStop({ rounds: values, stop, metrics: [seconds] })).toEqual({
      stop: true,
      reason: "no better seconds than 4 (round 2) in 2 rounds",
    });
    expect(runShouldStop({ rounds: values, stop, metrics: [{ ...seconds, better: "higher" }] })).toEqual({
      stop: true,
      reason: "no better seconds than 5 (round 1) in 3 rounds",
    });
  });
});
