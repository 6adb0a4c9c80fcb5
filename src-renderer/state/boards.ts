import { createStore } from "zustand/vanilla";
import type { BoardLogLine, BoardView, StepView, TelemetryPoint } from "#contract/boards.ts";
import type { FleetView, StreamItem } from "#contract/views.ts";

/** What the page knows of boards beyond the fleet's table: the latest telemetry of each, and the boards that are open. */
export interface BoardsState {
  /** By name. Changes about once a second; only the cells that show it are drawn again. */
  readonly latest: Readonly<Record<string, TelemetryPoint>>;
  readonly open: Readonly<Record<string, BoardView>>;
  /** Log lines that came since the board was opened, oldest first. */
  readonly tails: Readonly<Record<string, readonly BoardLogLine[]>>;
  /** Why a board could not be loaded. */
  readonly problems: Readonly<Record<string, string>>;
}

export const createBoardsStore = () =>
  createStore<BoardsState>(() => ({ latest: {}, open: {}, tails: {}, problems: {} }));

/** How far back the charts reach. */
const HOUR_MS = 3600 * 1000;
/** How often a chart gets a new point: nobody would see a finer one, and every point redraws all charts. */
const POINT_MS = 5000;
/** How many streamed lines are kept; older ones are loaded on demand. */
const TAIL_LENGTH = 2000;

export const applyToBoards = (state: BoardsState, { event }: StreamItem): BoardsState => {
  switch (event.kind) {
    case "telemetry": {
      const latest = { ...state.latest };
      for (const { device, point } of event.points) latest[device] = point;
      const opened = event.points.filter(({ device }) => state.open[device] !== undefined);
      return {
        ...opened.reduce((before, { device, point }) => withPoint(before, device, point), state),
        latest,
      };
    }
    case "board":
      return withOpen(state, event.device, (view) => merged(view, event.board));
    case "board-step":
      return withOpen(state, event.device, (view) => withStep(view, event.step));
    case "board-log": {
      if (state.open[event.device] === undefined) return state;
      const before = state.tails[event.device] ?? [];
      const last = before.at(-1)?.id ?? 0;
      const fresh = event.lines.filter(({ id }) => id > last);
      if (fresh.length === 0) return state;
      return {
        ...state,
        tails: { ...state.tails, [event.device]: [...before, ...fresh].slice(-TAIL_LENGTH) },
      };
    }
    default:
      return state;
  }
};

const withOpen = (
  state: BoardsState,
  device: string,
  change: (view: BoardView) => BoardView,
): BoardsState => {
  const view = state.open[device];
  if (view === undefined) return state;
  return { ...state, open: { ...state.open, [device]: change(view) } };
};

/** A summary is complete: what it no longer contains is over. */
const merged = (view: BoardView, board: Omit<BoardView, keyof Kept>): BoardView => {
  const { name, target, signIn, hostKey, addedAt, facts, plan, dataFolder, history } = view;
  return {
    ...board,
    name,
    target,
    signIn,
    hostKey,
    addedAt,
    ...(facts === undefined ? {} : { facts }),
    ...(plan === undefined ? {} : { plan: { ...plan, running: board.setup === "running" } }),
    ...(dataFolder === undefined ? {} : { dataFolder }),
    history,
  };
};
type Kept = Pick<
  BoardView,
  "name" | "target" | "signIn" | "hostKey" | "addedAt" | "facts" | "plan" | "dataFolder" | "history"
>;

const withStep = (view: BoardView, step: StepView): BoardView => {
  if (view.plan === undefined) return view;
  const known = view.plan.steps.some(({ id }) => id === step.id);
  const steps = known
    ? view.plan.steps.map((one) => (one.id === step.id ? step : one))
    : [...view.plan.steps, step];
  return { ...view, plan: { ...view.plan, steps } };
};

const withPoint = (state: BoardsState, device: string, point: TelemetryPoint): BoardsState =>
  withOpen(state, device, (view) => {
    const last = view.history.at(-1);
    if (last !== undefined && Date.parse(point.at) - Date.parse(last.at) < POINT_MS) return view;
    const oldest = Date.parse(point.at) - HOUR_MS;
    const history = [...view.history.filter(({ at }) => Date.parse(at) >= oldest), point];
    return { ...view, history };
  });

/** The board as it was just loaded; the lines that were streamed meanwhile stay. */
export const withLoadedBoard = (state: BoardsState, view: BoardView): BoardsState => {
  const { [view.name]: _problem, ...problems } = state.problems;
  const { telemetry } = view;
  return {
    ...state,
    open: { ...state.open, [view.name]: view },
    latest: telemetry === undefined ? state.latest : { ...state.latest, [view.name]: telemetry },
    problems,
  };
};

export const withoutBoard = (state: BoardsState, name: string): BoardsState => {
  const { [name]: _view, ...open } = state.open;
  const { [name]: _tail, ...tails } = state.tails;
  return { ...state, open, tails };
};

/** The telemetry that the fleet's rows carry, for the time before the first notice. */
export const withTelemetryOf = (state: BoardsState, { devices }: FleetView): BoardsState => {
  const latest = { ...state.latest };
  let touched = false;
  for (const { name, board } of devices) {
    if (board?.telemetry === undefined) continue;
    const known = latest[name];
    if (known !== undefined && known.at >= board.telemetry.at) continue;
    latest[name] = board.telemetry;
    touched = true;
  }
  return touched ? { ...state, latest } : state;
};

/** Drops the latest telemetry of these boards: nobody reads it any more, so it grows old. */
export const withoutTelemetryOf = (state: BoardsState, names: readonly string[]): BoardsState => {
  const latest = { ...state.latest };
  for (const name of names) delete latest[name];
  return { ...state, latest };
};

/** The open board that has to be loaded again after this item: no notice carries its facts and plan. */
export const changesTheBoard = (before: BoardsState, { event }: StreamItem): string | undefined => {
  if (event.kind !== "board") return undefined;
  const known = before.open[event.device];
  if (known === undefined) return undefined;
  return known.setup !== event.board.setup || known.state !== event.board.state ? event.device : undefined;
};
