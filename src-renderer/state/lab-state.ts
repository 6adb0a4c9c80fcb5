import { createStore } from "zustand/vanilla";
import type { Activity, LabView, Notice, StreamItem } from "#contract/views.ts";
import { isNotice } from "./study-view.ts";

/** The lab as a whole: is it there, what does it do, what did it say. */
export interface LabState {
  readonly connection: "connecting" | "open" | "lost";
  /** Since when the connection is as it is; milliseconds of Date.now(). */
  readonly since: number;
  readonly view: LabView | undefined;
  readonly activity: Activity;
  /** Sentences of the engine room, newest last. */
  readonly said: readonly (Notice & { kind: "said" })[];
}

const SAID_LENGTH = 50;

export const createLabStore = () =>
  createStore<LabState>(() => ({
    connection: "connecting",
    since: Date.now(),
    view: undefined,
    activity: { queue: [] },
    said: [],
  }));

/** The state after one more item of the stream. */
export const applyToLabState = (state: LabState, { event }: StreamItem): LabState => {
  if (!isNotice(event)) return state;
  if (event.kind === "activity") return { ...state, activity: event.activity };
  if (event.kind === "said") return { ...state, said: [...state.said, event].slice(-SAID_LENGTH) };
  return state;
};

export const withConnection = (state: LabState, open: boolean, now: number): LabState => {
  const connection = open ? "open" : state.connection === "connecting" ? "connecting" : "lost";
  return connection === state.connection ? state : { ...state, connection, since: now };
};
