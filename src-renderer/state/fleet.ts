import { createStore } from "zustand/vanilla";
import type { FleetView } from "#contract/views.ts";

export interface FleetState {
  readonly view: FleetView | undefined;
  readonly problem: string | undefined;
}

export const createFleetStore = () =>
  createStore<FleetState>(() => ({ view: undefined, problem: undefined }));
