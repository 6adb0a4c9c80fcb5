import { expect, test } from "vitest";
import type { LabEvent } from "#contract/events.ts";
import { metricOf } from "#contract/metrics.ts";
import { lineOf, linesOf } from "#renderer/screens/study/log-lines.ts";
import { presentOf } from "#renderer/ui/waiting.ts";
import { PROBLEMS } from "#test/fakes/board-examples.ts";

const at = "2026-03-01T10:00:00.000Z";
const client = (more: Partial<LabEvent & { kind: "board-client" }>): LabEvent => ({
  at,
  kind: "board-client",
  device: "pi",
  study: "s",
  run: "r",
  state: "ended",
  ...more,
});

test("a board that is lost is named, with its cause and the next step, and leads to its page", () => {
  const line = lineOf(
    { at, kind: "board-state", device: "pi", state: "offline", problem: PROBLEMS.unreachable },
    [],
    [],
  );
  expect(line).toMatchObject({ tone: "warn", subject: "pi", board: "pi" });
  expect(line?.text).toContain(PROBLEMS.unreachable.cause);
  expect(line?.text).toContain(PROBLEMS.unreachable.next);
});

test("a client that ended says why; without a cause it says its code", () => {
  expect(lineOf(client({ exitCode: 137, problem: PROBLEMS.memory }), [], [])?.text).toBe(
    `lost its client: ${PROBLEMS.memory.title}. ${PROBLEMS.memory.cause} ${PROBLEMS.memory.next}`,
  );
  expect(lineOf(client({ exitCode: 1 }), [], [])).toMatchObject({ tone: "bad" });
  expect(lineOf(client({ exitCode: 0 }), [], [])).toMatchObject({ tone: "quiet", text: "ended its client." });
});

test("a round has its figure and what the server's step notes", () => {
  const result = {
    round: 3,
    metrics: { accuracy: 0.5, loss: 1 },
    clients: ["a", "b"],
    drawn: ["a", "b"],
    failures: [],
    examples: 2,
    weightsSha256: "",
    startedAt: at,
    seconds: 1,
  };
  const text = (notes: { readonly notes?: Readonly<Record<string, number>> }) =>
    lineOf({ at, kind: "round-ended", run: "r", result: { ...result, ...notes } }, [], [metricOf("accuracy")])
      ?.text;
  expect(text({})).toBe("of r: 2 updates, accuracy 50.0%.");
  expect(text({ notes: { serverStep: 1.7 } })).toBe("of r: 2 updates, accuracy 50.0%, server step 1.70.");
});

test("good news of many boards share a line, bad news does not", () => {
  const online = (device: string): LabEvent => ({ at, kind: "board-state", device, state: "online" });
  const events = [
    online("a"),
    online("b"),
    client({ device: "a", exitCode: 9 }),
    client({ device: "b", exitCode: 9 }),
  ];
  const lines = linesOf(
    events.map((event, i) => ({ id: i + 1, event })),
    [],
    [],
  );
  expect(lines.map(({ subject, board }) => `${subject} ${board ?? ""}`.trim())).toEqual([
    "b b",
    "a a",
    "a and b",
  ]);
});

test("who is there is read from the lab's own sentence", () => {
  const waiting = { since: at, next: "Start the missing clients." };
  expect(presentOf({ ...waiting, stage: "joining", for: "pi-1 to connect (2 of 4)" })).toBe(2);
  expect(presentOf({ ...waiting, stage: "joining", for: "devices that are still busy" })).toBeUndefined();
  expect(presentOf({ ...waiting, stage: "answering", for: "pi-1" })).toBe(0);
});

test("a round is told by the first metric that it knows; what cannot be a metric is told by name", () => {
  const round = (metrics: Readonly<Record<string, number | null>>): LabEvent => ({
    at,
    kind: "round-ended",
    run: "r",
    result: {
      round: 3,
      metrics,
      clients: ["a"],
      drawn: ["a"],
      failures: [],
      examples: 1,
      weightsSha256: "",
      startedAt: at,
      seconds: 1,
    },
  });
  const metrics = [
    metricOf("accuracy"),
    metricOf("loss"),
    metricOf("rank10", { rank10: { title: "Rank-10", better: "higher", unit: "%" } }),
  ];
  const textOf = (event: LabEvent) => lineOf(event, [], metrics)?.text;
  expect(textOf(round({ accuracy: 0.46, loss: 1 }))).toBe("of r: 1 update, accuracy 46.0%.");
  expect(textOf(round({ accuracy: null, loss: null, rank10: 0.4 }))).toBe("of r: 1 update, Rank-10 40.0%.");
  expect(textOf(round({ accuracy: null, loss: null }))).toBe("of r: 1 update.");
  const refused: LabEvent = {
    at,
    kind: "metric-refused",
    run: "r",
    round: 1,
    device: "external-1",
    name: "note",
    cause: "it is text, not a number",
  };
  expect(lineOf(refused, [], metrics)).toMatchObject({
    subject: "external-1",
    text: "reported note, which is not recorded: it is text, not a number.",
  });
});

test("an update that was lost is told with its round, its cause and the next step", () => {
  const lost = (status: "failed" | "late" | "refused"): LabEvent => ({
    at,
    kind: "client-update",
    run: "r",
    round: 3,
    update: {
      device: "pi",
      status,
      timing: {},
      metrics: {},
      failure: {
        code: "deadline",
        device: "pi",
        stage: "fit",
        cause: "it took longer than 30 s",
        next: "Raise it.",
      },
    } as never,
  });
  expect(lineOf(lost("failed"), [], [])).toMatchObject({
    tone: "bad",
    subject: "pi",
    text: "failed in round 3: it took longer than 30 s. Raise it.",
  });
  expect(lineOf(lost("late"), [], [])).toMatchObject({
    tone: "warn",
    text: "was too late in round 3: it took longer than 30 s. Raise it.",
  });
});

test("a device that the server sent away left because the study ended", () => {
  const left: LabEvent = { at, kind: "device-left", device: "a", reason: "sent away" } as never;
  expect(lineOf(left, [], [])?.text).toBe("left: the study ended.");
});
