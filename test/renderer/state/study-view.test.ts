import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LabEvent, RoundSummary } from "#contract/events.ts";
import { DEMO } from "#contract/presets.ts";
import { parseStudy } from "#contract/study.ts";
import type { StreamItem, StudyView } from "#contract/views.ts";
import { applyToStudyView } from "#renderer/state/study-view.ts";

const parsed = parseStudy(DEMO);
if (!parsed.ok) throw new Error("the demo is a valid study");

const at = "2026-11-24T10:00:00.000Z";
const empty = (run: string) => ({
  run,
  round: [],
  metrics: {},
  seconds: [],
  clients: [],
  failures: [],
});

const view: StudyView = {
  id: "s-1",
  name: "demo",
  status: "waiting",
  createdAt: at,
  dataset: "fashion-mnist-sample",
  model: "Net",
  rounds: 8,
  trials: 1,
  fleetSize: 4,
  study: parsed.study,
  engine: { kind: "wasm", version: "1", path: "", threads: 1 },
  classes: [],
  runs: [
    { id: "r-1", study: "s-1", algorithm: "fedavg", trial: 1, seed: 1, status: "waiting" },
    { id: "r-2", study: "s-1", algorithm: "fedntd", trial: 1, seed: 1, status: "waiting" },
  ],
  curves: [empty("r-1"), empty("r-2")],
  log: [],
};

const result = (round: number, accuracy: number | null): RoundSummary => ({
  round,
  metrics: { accuracy, loss: 1 },
  clients: ["virtual-1"],
  drawn: ["virtual-1"],
  failures: [],
  examples: 10,
  weightsSha256: "00",
  startedAt: at,
  seconds: 2,
});

const ended = (run: string, round: number, accuracy: number | null = round / 10): LabEvent => ({
  at,
  kind: "round-ended",
  run,
  result: result(round, accuracy),
});

/** What the lab records of a study of two runs, in order. */
const history: readonly StreamItem[] = [
  { at, kind: "study-started", study: "s-1", name: "demo", runs: 2, engine: view.engine } as const,
  ...["r-1", "r-2"].flatMap((run): LabEvent[] => [
    { at, kind: "run-started", study: "s-1", run, algorithm: "fedavg", trial: 1, rounds: 8, fromRound: 1 },
    ...Array.from({ length: 8 }, (_, i) => ended(run, i + 1)),
    { at, kind: "run-ended", study: "s-1", run, status: "done", reason: "all 8 rounds are done" },
  ]),
  { at, kind: "study-ended", study: "s-1", status: "done" } as const,
].map((event, i) => ({ id: i + 1, event }));

const play = (from: StudyView, cursor: number, items: readonly StreamItem[]): StudyView =>
  items.reduce((before, item) => applyToStudyView(before, cursor, item), from);

describe("a study's view on the stream", () => {
  it("grows with every round, and knows how each run and the study ended", () => {
    const after = play(view, 0, history);
    expect(after.status).toBe("done");
    expect(after.runs.map((run) => run.status)).toEqual(["done", "done"]);
    expect(after.curves.map((curve) => curve.round)).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]);
    expect(after.curves[0]?.metrics.accuracy?.at(-1)).toBe(0.8);
    expect(after.log.length).toBe(history.length);
  });

  it("is the same whenever it was loaded: what it had then comes once more and changes nothing", () => {
    const whole = play(view, 0, history);
    fc.assert(
      fc.property(fc.nat(history.length), fc.nat(history.length), (loadedAt, resumedAt) => {
        // The page was loaded when `loadedAt` events were on record; its stream began `resumedAt` events before that.
        const loaded = play(view, 0, history.slice(0, loadedAt));
        const stream = history.slice(Math.max(0, loadedAt - resumedAt));
        expect(play(loaded, loadedAt, stream)).toEqual(whole);
      }),
    );
  });

  it("stays the very same object for what concerns other studies, or nobody", () => {
    const others: StreamItem[] = [
      { id: 1, event: ended("r-9", 1) },
      { id: 2, event: { at, kind: "study-ended", study: "s-2", status: "done" } },
      { event: { at, kind: "fleet-changed" } },
      {
        id: 3,
        event: {
          at,
          kind: "device-joined",
          device: "a",
          crew: "external",
          dialect: "flwr.proto",
          address: "x",
        },
      },
    ];
    expect(play(view, 0, others)).toBe(view);
  });

  it("keeps what is drawn as it is while devices only report progress", () => {
    const running = play(view, 0, history.slice(0, 3));
    const after = play(running, 0, [
      { event: { at, kind: "round-started", run: "r-1", round: 2, drawn: ["virtual-1"] } },
      {
        event: {
          at,
          kind: "client-progress",
          run: "r-1",
          round: 2,
          device: "virtual-1",
          phase: "training",
          fraction: 0.5,
        },
      },
    ]);
    expect(after.live?.devices).toEqual([
      { device: "virtual-1", phase: "training", fraction: 0.5, trainingMs: 0 },
    ]);
    expect(after.curves).toBe(running.curves);
    expect(after.runs).toBe(running.runs);
    expect(after.log).toBe(running.log);
  });

  it("draws nothing where a run diverged", () => {
    const after = play(view, 0, [{ id: 1, event: ended("r-1", 1, Number.NaN) }]);
    expect(after.curves[0]?.metrics.accuracy).toEqual([null]);
  });
});
