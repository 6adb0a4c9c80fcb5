import { createContext, useContext, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { PRESETS } from "#contract/presets.ts";
import type { StudyProblem } from "#contract/study.ts";
import type { TaskDefinition } from "#contract/tasks/task.ts";
import { TASK_NAMES, TASKS, type TaskName } from "#contract/tasks/tasks.ts";
import { asSentence } from "#renderer/ui/format.ts";
import { type Draft, defaultAt, getAt, patched, problemsOf, setAt } from "./draft.ts";

export interface DraftState {
  readonly draft: Draft;
  /** What is wrong with it by itself. */
  readonly own: readonly StudyProblem[];
  /** What the lab said more, of this draft or of the one a moment ago. */
  readonly told: readonly StudyProblem[];
  /** What a preset or a file has replaced, for the way back. */
  readonly before: Draft | undefined;
  /** Counts what was done to the draft, also where it came out as it was: what was said of it goes with each. */
  readonly turn: number;
}

/** Survives a reload of the page, not the window. */
const KEPT_AS = "fedfleet:new-study";

const stored = (): Draft | undefined => {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null");
    return typeof kept === "object" && kept !== null && !Array.isArray(kept) ? (kept as Draft) : undefined;
  } catch {
    return undefined;
  }
};

const keep = (draft: Draft | undefined): void => {
  try {
    if (draft === undefined) sessionStorage.removeItem(KEPT_AS);
    else sessionStorage.setItem(KEPT_AS, JSON.stringify(draft));
  } catch {
    // a browser that keeps nothing: the draft lasts as long as the page
  }
};

const first = (): Draft => (PRESETS[0]?.study ?? {}) as Draft;

export const createDraftStore = () => {
  const begun = stored() ?? first();
  const store = createStore<DraftState>(() => ({
    draft: begun,
    own: problemsOf(begun),
    told: [],
    before: undefined,
    turn: 0,
  }));
  const put = (draft: Draft, more: Partial<DraftState> = {}) => {
    keep(draft);
    store.setState(({ turn }) => ({ draft, own: problemsOf(draft), turn: turn + 1, ...more }));
  };
  /** The draft, if it is more than a preset that can be had again. */
  const edited = (): Draft | undefined => {
    const { draft } = store.getState();
    const isPreset = PRESETS.some(({ study }) => JSON.stringify(study) === JSON.stringify(draft));
    return isPreset ? undefined : draft;
  };
  return {
    ...store,
    set(path: string, value: unknown): void {
      const { draft, told } = store.getState();
      put(setAt(draft, path, value), { told: told.filter((problem) => problem.path !== path) });
    },
    patch: (patch: Readonly<Record<string, unknown>>): void =>
      put(patched(store.getState().draft, patch), { told: [] }),
    /** Another study altogether; the one before can be brought back. */
    replace: (draft: Draft): void => put(draft, { told: [], before: edited() }),
    bringBack(): void {
      const { before } = store.getState();
      if (before !== undefined) put(before, { told: [], before: undefined });
    },
    reset(): void {
      put(first(), { told: [], before: edited() });
      keep(undefined);
    },
    /** The study was started: the next draft begins with the first preset. */
    forget: (): void => keep(undefined),
    tell: (told: readonly StudyProblem[]): void => store.setState({ told }),
  };
};

export type DraftStore = ReturnType<typeof createDraftStore>;

export const DraftContext = createContext<DraftStore | undefined>(undefined);

export const useDraftStore = (): DraftStore => {
  const store = useContext(DraftContext);
  if (store === undefined) throw new Error("no draft around this component");
  return store;
};

/** The setting at a path, or its default. Only who asks for a setting is drawn when it changes. */
export const useSetting = (path: string): unknown =>
  useStore(useDraftStore(), ({ draft }) => getAt(draft, path) ?? defaultAt(draft, path));

/** The task of the draft; one that is not known counts as the first. */
export const useTask = (): TaskDefinition & { readonly name: TaskName } => {
  const task = useSetting("task");
  return TASKS[TASK_NAMES.find((name) => name === task) ?? TASK_NAMES[0]];
};

/** Calls back after each change of the draft, not at first. */
export const useOnTurn = (act: () => void): void => {
  const store = useDraftStore();
  const latest = useRef(act);
  latest.current = act;
  useEffect(
    () =>
      store.subscribe((now, last) => {
        if (now.turn !== last.turn) latest.current();
      }),
    [store],
  );
};

/** What is wrong with a field; what the page knows itself comes first. */
export const useFieldProblem = (path: string): string | undefined =>
  useStore(useDraftStore(), ({ own, told }) => {
    const problem = [...own, ...told].find((p) => p.path === path);
    return problem === undefined ? undefined : asSentence(problem.message);
  });
