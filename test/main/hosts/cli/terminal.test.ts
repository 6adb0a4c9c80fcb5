import { describe, expect, test, vi } from "vitest";
import type { LabEvent, LabEventBody, RoundResult } from "#contract/events.ts";
import { fitText, padText } from "#main/hosts/cli/fit-text.ts";
import { durationText, liveBlock, noteLines, roundLine } from "#main/hosts/cli/progress.ts";
import { advance, type StudyProgress, secondsLeft, startProgress } from "#main/hosts/cli/study-progress.ts";
import { createTerminal } from "#main/hosts/cli/terminal.ts";
import { createTerminalScreen } from "#test/fakes/terminal-screen.ts";

const at = "2026-01-01T00:00:00.000Z";
const stamp = (body: LabEventBody): LabEvent => ({ at, ...body }) as LabEvent;

const result = (round: number, clients: string[]): RoundResult => ({
  round,
  metrics: { accuracy: 0.5, loss: 1.25 },
  clients,
  drawn: clients,
  failures: [],
  examples: 10,
  weightsSha256: "",
  startedAt: at,
  seconds: 2,
  updates: [],
  evaluations: [],
});

const runStarted = stamp({
  kind: "run-started",
  study: "s",
  run: "r",
  algorithm: "fedntd",
  trial: 2,
  rounds: 3,
  fromRound: 1,
});
const roundStarted = (drawn: string[]) => stamp({ kind: "round-started", run: "r", round: 1, drawn });

const progressOf = (device: string, phase: "sent" | "training" | "uploading", fraction?: number) =>
  stamp({
    kind: "client-progress",
    run: "r",
    round: 1,
    device,
    phase,
    ...(fraction === undefined ? {} : { fraction }),
  });
const updateOf = (device: string, status: "folded" | "failed") =>
  stamp({
    kind: "client-update",
    run: "r",
    round: 1,
    update: { device, status, bytesDown: 1, bytesUp: 1, timing: {}, metrics: {} },
  });
const progressAfter = (...events: LabEvent[]): StudyProgress =>
  events.reduce(advance, startProgress({ name: "x", runs: 1, runsDone: 0 }));

test("a metric that is refused is a line of its own", () => {
  const refused = { device: "external-1", name: "note", cause: "it is text, not a number" };
  expect(noteLines(stamp({ kind: "metric-refused", run: "r", round: 1, ...refused }))).toEqual([
    "  external-1: its metric note is not recorded: it is text, not a number",
  ]);
});

test("a round's line has every metric that was measured", () => {
  const p = advance(startProgress({ name: "x", runs: 1, runsDone: 0 }), runStarted);
  const metrics = { accuracy: null, loss: 1.25, rank10: 0.4 };
  expect(roundLine(p, { ...result(1, ["a"]), metrics })).toContain(
    "round 1/3 · accuracy – · loss 1.2500 · rank10 0.4000 · 1 of 1 devices",
  );
});

test("a round's line has what the server's step notes", () => {
  const p = advance(startProgress({ name: "x", runs: 1, runsDone: 0 }), runStarted);
  expect(roundLine(p, { ...result(1, ["a"]), notes: { serverStep: 1.7 } })).toContain(
    "1 of 1 devices · server step 1.70 · 2.0 s",
  );
});

describe("progress", () => {
  test("tells the time left from the rounds so far, over all runs", () => {
    let p = startProgress({ name: "x", runs: 2, runsDone: 0 });
    expect(secondsLeft(p)).toBeUndefined();
    for (const e of [runStarted, stamp({ kind: "round-ended", run: "r", result: result(1, ["a"]) })])
      p = advance(p, e);
    // two rounds of this run and three of the next, two seconds each
    expect(secondsLeft(p)).toBe(10);
  });

  test("a hundred devices and a long name stay within the screen", () => {
    const names = Array.from({ length: 100 }, (_, i) => `a-device-with-a-very-long-name-indeed-${i}`);
    let p = advance(startProgress({ name: "x", runs: 1, runsDone: 0 }), runStarted);
    p = advance(p, roundStarted(names));
    p = advance(
      p,
      stamp({
        kind: "client-progress",
        run: "r",
        round: 1,
        device: names[57]!,
        phase: "training",
        fraction: 0.5,
      }),
    );
    const lines = liveBlock(p, 60, 10);
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    // busy devices are shown before those that wait
    expect(lines[1]).toContain("training");
    expect(lines.at(-1)).toMatch(/and 9\d more/);
  });

  test("a device is shown in the phase that the shared reducer of live rounds gives it", () => {
    const events = [runStarted, roundStarted(["a", "b", "c"])];
    const phases = (...more: LabEvent[]) => liveBlock(progressAfter(...events, ...more), 80, 10).slice(1);
    expect(phases(progressOf("b", "training", 0.5))).toEqual([
      "  b        ████████░░░░░░░░ training",
      "  a        ░░░░░░░░░░░░░░░░ receiving weights",
      "  c        ░░░░░░░░░░░░░░░░ receiving weights",
    ]);
    // what was sent before the update arrives after it
    const late = [updateOf("b", "folded"), progressOf("b", "training", 0.9)];
    expect(phases(...late)).toContain("  b        ████████████████ done");
    const left = stamp({ kind: "device-left", device: "b", reason: "gone" });
    expect(phases(progressOf("b", "training", 0.5), left)).toContain(
      "  b        ░░░░░░░░░░░░░░░░ disconnected, may rejoin",
    );
    expect(phases(left, progressOf("b", "sent"))).toContain("  b        ░░░░░░░░░░░░░░░░ weights received");
  });

  test("the head says which round is in progress, and what happens between rounds", () => {
    const head = (...events: LabEvent[]) => liveBlock(progressAfter(...events), 80, 10)[0];
    expect(head(runStarted)).toBe("[1/1] FedNTD, trial 2: evaluating the initial weights");
    const zero = stamp({ kind: "round-ended", run: "r", result: result(0, []) });
    expect(head(runStarted, zero)).toBe("[1/1] FedNTD, trial 2: starting round 1/3");
    const one = [runStarted, roundStarted(["a", "b"]), updateOf("a", "folded")];
    expect(head(...one)).toBe("[1/1] FedNTD, trial 2: round 1/3, 1 of 2 devices done");
    // a finished round stays until the next begins
    const ended = stamp({ kind: "round-ended", run: "r", result: result(1, ["a"]) });
    expect(head(...one, ended)).toBe("[1/1] FedNTD, trial 2: round 1/3, 1 of 2 devices done, about 4 s left");
  });

  test("wide characters count as the two columns that they take", () => {
    const p = progressAfter(runStarted, roundStarted(["ジェットソン", "pi"]));
    const lines = liveBlock(p, 80, 10).slice(1);
    expect(lines.map((line) => line.indexOf("░"))).toEqual([9, 15]);
    expect(fitText("ジェットソン", 7)).toBe("ジェッ…");
    expect(fitText("ジェットソン", 12)).toBe("ジェットソン");
    expect(padText("ジェ", 6)).toBe("ジェ  ");
    expect(fitText("👩‍🔬👩‍🔬👩‍🔬", 5)).toBe("👩‍🔬👩‍🔬…");
  });

  test.each([
    [5, "5 s"],
    [95, "1 min 35 s"],
    [7380, "2 h 3 min"],
  ])("%i seconds are %s", (s, text) => {
    expect(durationText(s)).toBe(text);
  });
});

describe("terminal", () => {
  test("without a terminal: a line per round and per failure, no control characters", () => {
    let out = "";
    const terminal = createTerminal(
      { write: (text) => (out += text) },
      startProgress({ name: "x", runs: 1, runsDone: 0 }),
    );
    terminal.show(runStarted);
    terminal.show(roundStarted(["a", "b"]));
    terminal.show(
      stamp({
        kind: "client-update",
        run: "r",
        round: 1,
        update: {
          device: "b",
          status: "refused",
          bytesDown: 1,
          bytesUp: 1,
          timing: {},
          metrics: {},
          failure: { code: "not-finite", stage: "aggregate", cause: "conv1.weight holds NaN" },
        },
      }),
    );
    terminal.show(stamp({ kind: "round-ended", run: "r", result: result(1, ["a"]) }));
    terminal.end();
    expect(out).toBe(
      "  b: conv1.weight holds NaN (round 1)\n[1/1] FedNTD, trial 2 · round 1/3 · accuracy 0.5000 · loss 1.2500 · 1 of 1 devices · 2.0 s · about 4 s left\n",
    );
  });

  test("without a terminal a wait for devices is said once", () => {
    let out = "";
    const terminal = createTerminal(
      { write: (text) => (out += text) },
      startProgress({ name: "x", runs: 1, runsDone: 0 }),
    );
    for (const sinceMs of [2100, 3100, 4100]) {
      terminal.show(
        stamp({
          kind: "waiting",
          run: "r",
          round: 1,
          stage: "joining",
          for: "a to connect",
          sinceMs,
          next: "Start it.",
        }),
      );
    }
    expect(out).toBe("  waiting for a to connect (2 s). Start it. Press Ctrl-C to stop after this round.\n");
  });

  test("on a terminal the block is redrawn in place below the finished rounds, and gone at the end", () => {
    vi.useFakeTimers();
    try {
      const screen = createTerminalScreen({ columns: 60, rows: 24 });
      const terminal = createTerminal(screen, startProgress({ name: "x", runs: 1, runsDone: 0 }));
      const show = (...events: LabEvent[]) => {
        for (const event of events) terminal.show(event);
        vi.advanceTimersByTime(200);
        return screen.text().split("\n");
      };
      terminal.say("a study");
      expect(show(runStarted, roundStarted(["a", "ジェットソン"]))).toEqual([
        "a study",
        "[1/1] FedNTD, trial 2: round 1/3, 0 of 2 devices done",
        "  a            ░░░░░░░░░░░░░░░░ receiving weights",
        "  ジェットソン ░░░░░░░░░░░░░░░░ receiving weights",
      ]);
      expect(show(progressOf("a", "training", 0.25))).toEqual([
        "a study",
        "[1/1] FedNTD, trial 2: round 1/3, 0 of 2 devices done",
        "  a            ████░░░░░░░░░░░░ training",
        "  ジェットソン ░░░░░░░░░░░░░░░░ receiving weights",
      ]);
      // the terminal echoes Ctrl-C
      screen.write("^C");
      terminal.stopping();
      const line =
        "Stopping after this round. Press Ctrl-C again to stop now and lose the round in progress.";
      expect(screen.text()).toBe(`a study\n${line.slice(0, 60)}\n${line.slice(60)}`);
      expect(show(updateOf("a", "folded")).slice(3)).toEqual([
        "[1/1] FedNTD, trial 2: round 1/3, 1 of 2 devices done",
        "  ジェットソン ░░░░░░░░░░░░░░░░ receiving weights",
        "  a            ████████████████ done",
      ]);
      terminal.end();
      expect(screen.text()).toBe(`a study\n${line.slice(0, 60)}\n${line.slice(60)}`);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a screen that becomes smaller gets a block of its new size", () => {
    vi.useFakeTimers();
    try {
      const screen = createTerminalScreen({ columns: 80, rows: 24 });
      const terminal = createTerminal(screen, startProgress({ name: "x", runs: 1, runsDone: 0 }));
      for (const event of [runStarted, roundStarted(Array.from({ length: 30 }, (_, i) => `device-${i}`))]) {
        terminal.show(event);
      }
      vi.advanceTimersByTime(200);
      expect(screen.text().split("\n")).toHaveLength(13);
      Object.assign(screen, { columns: 40, rows: 10 });
      terminal.show(progressOf("device-7", "training"));
      vi.advanceTimersByTime(200);
      const lines = screen.text().split("\n");
      expect(lines).toHaveLength(5);
      for (const line of lines) expect(line.length).toBeLessThan(40);
      expect(lines[0]).toBe("[1/1] FedNTD, trial 2: round 1/3, 0 of…");
      terminal.end();
      expect(screen.text()).toBe("");
    } finally {
      vi.useRealTimers();
    }
  });
});
