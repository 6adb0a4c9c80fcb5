import { createStore } from "zustand/vanilla";
import type { LabEvent } from "#contract/events.ts";
import type { Activity, LabView, Notice, StreamItem } from "#contract/views.ts";
import type { Connection } from "#renderer/lab.ts";
import { isNotice } from "./study-view.ts";

/** The lab as a whole: whether it answers, what it does, what it reported. */
export interface LabState {
  readonly connection: "connecting" | Connection;
  /** When the connection last changed; milliseconds of Date.now(). */
  readonly since: number;
  readonly view: LabView | undefined;
  readonly activity: Activity;
  /** The study that ended last while this page watched. */
  readonly ended: (LabEvent & { kind: "study-ended" }) | undefined;
  /** Messages of the lab, newest last. */
  readonly said: readonly (Notice & { kind: "said" })[];
}

const SAID_LENGTH = 50;

export const createLabStore = () =>
  createStore<LabState>(() => ({
    connection: "connecting",
    since: Date.now(),
    view: undefined,
    activity: { queue: [] },
    ended: undefined,
    said: [],
  }));

/** The state after one more item of the stream. */
export const applyToLabState = (state: LabState, { event }: StreamItem): LabState => {
  if (!isNotice(event)) return event.kind === "study-ended" ? { ...state, ended: event } : state;
  if (event.kind === "activity") return { ...state, activity: event.activity };
  if (event.kind === "said") return { ...state, said: [...state.said, event].slice(-SAID_LENGTH) };
  return state;
};

export const withConnection = (state: LabState, next: Connection, now: number): LabState => {
  // A page that was never connected is still connecting; a refusal stands until the connection opens.
  if (next === "lost" && state.connection !== "open") return state;
  return next === state.connection ? state : { ...state, connection: next, since: now };
};
