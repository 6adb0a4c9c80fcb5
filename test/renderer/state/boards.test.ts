import { describe, expect, test } from "vitest";
import type { BoardSummary, BoardView, StepView, TelemetryPoint } from "#contract/boards.ts";
import type { Notice, StreamItem } from "#contract/views.ts";
import {
  applyToBoards,
  type BoardsState,
  changesTheBoard,
  withLoadedBoard,
  withoutBoard,
  withTelemetryOf,
} from "#renderer/state/boards.ts";
import { applyToFleet } from "#renderer/state/fleet.ts";

const EMPTY: BoardsState = { latest: {}, open: {}, tails: {}, problems: {} };
const AT = Date.parse("2026-03-01T10:00:00.000Z");
const point = (seconds: number, temperature = 50): TelemetryPoint => ({
  at: new Date(AT + seconds * 1000).toISOString(),
  temperature,
});
const summary = (more: Partial<BoardSummary> = {}): BoardSummary => ({
  address: "pi@10.0.0.7:22",
  state: "online",
  since: point(0).at,
  setup: "needed",
  ...more,
});
const step = (id: StepView["id"], state: StepView["state"]): StepView => ({
  id,
  title: id,
  text: "",
  state,
  commands: [],
  needsSudo: false,
  canUndo: false,
  output: [],
});
const view = (more: Partial<BoardView> = {}): BoardView => ({
  ...summary(),
  name: "pi",
  target: { host: "10.0.0.7", user: "pi" },
  signIn: "lab-key",
  hostKey: { type: "ssh-ed25519", fingerprint: "SHA256:a" },
  addedAt: point(0).at,
  plan: { steps: [step("image", "open"), step("self-test", "blocked")], ready: false, running: false },
  history: [],
  ...more,
});
const item = (
  event: Notice extends infer N ? (N extends Notice ? Omit<N, "at"> : never) : never,
): StreamItem => ({
  event: { at: point(0).at, ...event } as Notice,
});
const telemetry = (seconds: number, temperature?: number) =>
  item({ kind: "telemetry", points: [{ device: "pi", point: point(seconds, temperature) }] });
const opened = withLoadedBoard(EMPTY, view());

describe("telemetry", () => {
  test("the latest is kept of every board; a history only of one that is open, a point each five seconds", () => {
    expect(applyToBoards(EMPTY, telemetry(1)).latest.pi).toEqual(point(1));
    expect(applyToBoards(EMPTY, telemetry(1)).open).toEqual({});
    const after = Array.from({ length: 12 }, (_, i) => telemetry(i)).reduce(applyToBoards, opened);
    expect(after.latest.pi).toEqual(point(11));
    expect(after.open.pi?.history.map(({ at }) => at)).toEqual([0, 5, 10].map((s) => point(s).at));
  });

  test("a history is an hour long", () => {
    const long = withLoadedBoard(EMPTY, view({ history: [point(0), point(100)] }));
    const after = applyToBoards(long, telemetry(3650));
    expect(after.open.pi?.history.map(({ at }) => at)).toEqual([100, 3650].map((s) => point(s).at));
  });

  test("the fleet's view does not turn back what came since", () => {
    const device = (told: TelemetryPoint) => ({
      name: "pi",
      kind: "board" as const,
      connected: false,
      board: summary({ telemetry: told }),
    });
    const state = applyToBoards(EMPTY, telemetry(10));
    const fleet = (told: TelemetryPoint) => ({ groups: [], cursor: 1, devices: [device(told)] });
    expect(withTelemetryOf(state, fleet(point(9)))).toBe(state);
    expect(withTelemetryOf(state, fleet(point(11))).latest.pi).toEqual(point(11));
  });
});

describe("a board that is open", () => {
  test("what its summary does not say any more is over; what only the view knows stays", () => {
    const before = withLoadedBoard(
      EMPTY,
      view({ retryAt: point(9).at, history: [point(1)], dataFolder: "/data" }),
    );
    const after = applyToBoards(
      before,
      item({ kind: "board", device: "pi", board: summary({ setup: "running" }) }),
    );
    expect(after.open.pi).not.toHaveProperty("retryAt");
    expect(after.open.pi).toMatchObject({ setup: "running", dataFolder: "/data", history: [point(1)] });
    expect(after.open.pi?.plan).toMatchObject({ running: true, steps: before.open.pi?.plan?.steps });
  });

  test("a step replaces the one of its name, in its place", () => {
    const after = applyToBoards(
      opened,
      item({ kind: "board-step", device: "pi", step: step("image", "running") }),
    );
    expect(after.open.pi?.plan?.steps.map(({ id, state }) => `${id} ${state}`)).toEqual([
      "image running",
      "self-test blocked",
    ]);
  });

  test("lines of the log come once, in order, and only where somebody looks", () => {
    const lines = (...ids: number[]) =>
      item({
        kind: "board-log",
        device: "pi",
        lines: ids.map((id) => ({ id, at: point(id).at, stream: "stdout" as const, text: `line ${id}` })),
      });
    expect(applyToBoards(EMPTY, lines(1))).toBe(EMPTY);
    const after = [lines(1, 2), lines(2, 3), lines(3)].reduce(applyToBoards, opened);
    expect(after.tails.pi?.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(withoutBoard(after, "pi")).toMatchObject({ open: {}, tails: {} });
  });

  test("it is asked for anew when its set-up or its connection changed, not for each summary", () => {
    const news = (more: Partial<BoardSummary>) => item({ kind: "board", device: "pi", board: summary(more) });
    expect(changesTheBoard(opened, news({}))).toBeUndefined();
    expect(changesTheBoard(opened, news({ setup: "ready" }))).toBe("pi");
    expect(changesTheBoard(opened, news({ state: "silent" }))).toBe("pi");
    expect(changesTheBoard(EMPTY, news({ setup: "ready" }))).toBeUndefined();
  });
});

test("in the fleet only the row of the board that changed is another object", () => {
  const device = (name: string) => ({ name, kind: "board" as const, connected: false, board: summary() });
  const state = {
    view: { groups: [], cursor: 1, devices: [device("pi"), device("nano")] },
    problem: undefined,
  };
  const after = applyToFleet(
    state,
    item({ kind: "board", device: "pi", board: summary({ state: "silent" }) }),
  );
  expect(after.view?.devices[0]?.board?.state).toBe("silent");
  expect(after.view?.devices[1]).toBe(state.view.devices[1]);
  expect(applyToFleet(state, item({ kind: "board", device: "gone", board: summary() }))).toBe(state);
  expect(applyToFleet(state, telemetry(1))).toBe(state);
});
