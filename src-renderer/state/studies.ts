import { createStore } from "zustand/vanilla";
import type { StreamItem, StudyRow, StudyView } from "#contract/views.ts";
import { applyToStudyView } from "./study-view.ts";

export interface LoadedStudy {
  readonly view: StudyView;
  /** The last recorded event that the view had in it when it was loaded: the stream may bring it once more. */
  readonly cursor: number;
}

/** The list of studies, and the studies that were opened. */
export interface StudiesState {
  readonly rows: readonly StudyRow[] | undefined;
  readonly open: Readonly<Record<string, LoadedStudy>>;
  /** Why a study or the list could not be loaded, by study id or "list". */
  readonly problems: Readonly<Record<string, string>>;
}

/** A page that was left is kept for the way back; the oldest go first. */
const KEPT_OPEN = 6;

export const createStudiesStore = () =>
  createStore<StudiesState>(() => ({ rows: undefined, open: {}, problems: {} }));

export const withOpened = (state: StudiesState, id: string, loaded: LoadedStudy): StudiesState => {
  const { [id]: _before, ...others } = state.open;
  const { [id]: _problem, ...problems } = state.problems;
  const kept = Object.entries(others).slice(-(KEPT_OPEN - 1));
  return { ...state, open: { ...Object.fromEntries(kept), [id]: loaded }, problems };
};

/** All items of a batch at once: a page is drawn once per batch. */
export const applyToStudies = (state: StudiesState, items: readonly StreamItem[]): StudiesState => {
  let touched = false;
  const open: Record<string, LoadedStudy> = {};
  for (const [id, loaded] of Object.entries(state.open)) {
    const view = items.reduce((before, item) => applyToStudyView(before, loaded.cursor, item), loaded.view);
    if (view !== loaded.view) touched = true;
    open[id] = view === loaded.view ? loaded : { ...loaded, view };
  }
  return touched ? { ...state, open } : state;
};
