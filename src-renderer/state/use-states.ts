import { createContext, useContext, useEffect, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import type { BoardView, TelemetryPoint } from "#contract/boards.ts";
import type { LiveRound, StudyView } from "#contract/views.ts";
import type { BoardsState } from "./boards.ts";
import type { FleetState } from "./fleet.ts";
import type { LabState } from "./lab-state.ts";
import type { States } from "./states.ts";
import type { StudiesState } from "./studies.ts";

export const StatesContext = createContext<States | undefined>(undefined);

export const useStates = (): States => {
  const states = useContext(StatesContext);
  if (states === undefined) throw new Error("no states around this component");
  return states;
};

export const useLab = <T>(select: (state: LabState) => T): T => useStore(useStates().labState, select);

export const useStudies = <T>(select: (state: StudiesState) => T): T => useStore(useStates().studies, select);

export const useFleet = <T>(select: (state: FleetState) => T): T => {
  const states = useStates();
  useEffect(() => states.watchFleet(), [states]);
  return useStore(states.fleet, select);
};

export const useData = <T>(select: (state: ReturnType<States["data"]["getState"]>) => T): T => {
  const states = useStates();
  useEffect(() => states.watchData(), [states]);
  return useStore(states.data, select);
};

export const useBoards = <T>(select: (state: BoardsState) => T): T => useStore(useStates().boards, select);

/** A board, loaded and kept live while something shows it; undefined until it is loaded, or without a name. */
export const useBoard = (
  name: string | undefined,
): { readonly view: BoardView | undefined; readonly problem: string | undefined } => {
  const states = useStates();
  useEffect(() => (name === undefined ? undefined : states.watchBoard(name)), [states, name]);
  return {
    view: useBoards((state) => (name === undefined ? undefined : state.open[name])),
    problem: useBoards((state) => (name === undefined ? undefined : state.problems[name])),
  };
};

/** The latest telemetry of a board, which the lab reads while something shows it; undefined where there is no board. */
export const useTelemetry = (board: string | undefined): TelemetryPoint | undefined => {
  const states = useStates();
  useEffect(() => (board === undefined ? undefined : states.watchTelemetry(board)), [states, board]);
  return useBoards((state) => (board === undefined ? undefined : state.latest[board]));
};

/** The list of studies, kept fresh while the page shows it. */
export const useStudyList = () => {
  const states = useStates();
  useEffect(() => states.watchList(), [states]);
  return {
    rows: useStudies((state) => state.rows),
    problem: useStudies((state) => state.problems.list),
  };
};

/** A study, loaded when the page opens and kept live. */
export const useStudy = (id: string): { view: StudyView | undefined; problem: string | undefined } => {
  const states = useStates();
  useEffect(() => void states.openStudy(id), [states, id]);
  return {
    view: useStudies((state) => state.open[id]?.view),
    problem: useStudies((state) => state.problems[id]),
  };
};

/** The round in progress of the study that runs, whichever page started it. */
export const useLiveRound = (): {
  readonly study: string | undefined;
  readonly live: LiveRound | undefined;
} => {
  const states = useStates();
  const study = useLab((state) => state.activity.study);
  const open = useStudies((state) => study !== undefined && state.open[study] !== undefined);
  useEffect(() => {
    if (study !== undefined && !open) void states.openStudy(study);
  }, [states, study, open]);
  const live = useStudies((state) => (study === undefined ? undefined : state.open[study]?.view.live));
  return { study, live };
};

/** The time, for "14 s ago"; the component is drawn again every `everyMs`. */
export const useNow = (everyMs = 1000): number =>
  useSyncExternalStore(
    (changed) => {
      const timer = setInterval(changed, everyMs);
      return () => clearInterval(timer);
    },
    () => Math.floor(Date.now() / everyMs) * everyMs,
  );
