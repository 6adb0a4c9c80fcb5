import { describe, expect, test, vi } from "vitest";
import type { LabEvent, LabEventBody, RoundResult } from "#contract/events.ts";
import {
  advance,
  durationText,
  liveBlock,
  noteLines,
  roundLine,
  secondsLeft,
  startProgress,
} from "#main/hosts/cli/progress.ts";
import { createTerminal } from "#main/hosts/cli/terminal.ts";

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
    // who is at work is shown before those that wait
    expect(lines[1]).toContain("training");
    expect(lines.at(-1)).toMatch(/and 9\d more/);
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
      "  b: conv1.weight holds NaN (round 1)\n[1/1] fedntd, trial 2 · round 1/3 · accuracy 0.5000 · loss 1.2500 · 1 of 1 devices · 2.0 s · about 4 s left\n",
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
    expect(out).toBe("  waiting 2 s for a to connect. Start it. Ctrl-C stops it after this round.\n");
  });

  test("on a terminal the block is redrawn in place and gone at the end", () => {
    vi.useFakeTimers();
    let out = "";
    const screen = { isTTY: true, columns: 80, rows: 24, write: (text: string) => (out += text) };
    const terminal = createTerminal(screen, startProgress({ name: "x", runs: 1, runsDone: 0 }));
    terminal.show(runStarted);
    terminal.show(roundStarted(["a"]));
    vi.advanceTimersByTime(200);
    expect(out).toContain("getting the weights");
    out = "";
    terminal.end();
    expect(out).toBe("\r\u001b[2A\u001b[0J");
    vi.useRealTimers();
  });
});
