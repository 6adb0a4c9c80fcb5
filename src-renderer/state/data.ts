import { createStore } from "zustand/vanilla";
import type { DatasetsView, StreamItem, Transfer } from "#contract/views.ts";

export interface DataState {
  readonly view: DatasetsView | undefined;
  readonly problem: string | undefined;
}

export const createDataStore = () => createStore<DataState>(() => ({ view: undefined, problem: undefined }));

/**
 * The list after one more item of the stream. Only the end of a transfer changes the list itself; its progress, four
 * times a second, is told whole.
 */
export const applyToData = (state: DataState, { event }: StreamItem): DataState => {
  if (event.kind !== "transfer" || state.view === undefined) return state;
  const { transfer } = event;
  return { ...state, view: { ...state.view, transfers: withTransfer(state.view.transfers, transfer) } };
};

/** A registration's end, good or bad, is told to whoever asked for it: the list keeps only those that run. */
const withTransfer = (transfers: readonly Transfer[], transfer: Transfer): readonly Transfer[] => {
  const others = transfers.filter(({ name }) => name !== transfer.name);
  const over = transfer.state === "done" || (transfer.what === "register" && transfer.state !== "running");
  return over ? others : [...others, transfer];
};

/** Does the item change what is on the list, so that it has to be asked for anew? */
export const changesTheData = ({ event }: StreamItem): boolean =>
  event.kind === "catalogue-changed" || (event.kind === "transfer" && event.transfer.state !== "running");
