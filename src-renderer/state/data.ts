import { createStore } from "zustand/vanilla";
import type { DatasetsView } from "#contract/views.ts";

export interface DataState {
  readonly view: DatasetsView | undefined;
  readonly problem: string | undefined;
}

export const createDataStore = () => createStore<DataState>(() => ({ view: undefined, problem: undefined }));
