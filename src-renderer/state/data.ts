import { createStore } from "zustand/vanilla";
import type { DatasetsView, StreamItem, Transfer } from "#contract/views.ts";

export interface DataState {
  readonly view: DatasetsView | undefined;
  readonly problem: string | undefined;
}

export const createDataStore = () => createStore<DataState>(() => ({ view: undefined, problem: undefined }));

/**
 * The list after one more item of the stream. Only the end of a transfer changes the list itself; progress arrives four
 * times a second, each time complete.
 */
export const applyToData = (state: DataState, { event }: StreamItem): DataState => {
  if (event.kind !== "transfer" || state.view === undefined) return state;
  const { transfer } = event;
  return { ...state, view: { ...state.view, transfers: withTransfer(state.view.transfers, transfer) } };
};

/** The dialog that asked for a registration hears how it ended, so the list keeps only those in progress. */
const withTransfer = (transfers: readonly Transfer[], transfer: Transfer): readonly Transfer[] => {
  const others = transfers.filter(({ name }) => name !== transfer.name);
  const over = transfer.state === "done" || (transfer.what === "register" && transfer.state !== "running");
  return over ? others : [...others, transfer];
};

/** Does the item change what is on the list, so that it has to be loaded again? */
export const changesTheData = ({ event }: StreamItem): boolean =>
  event.kind === "catalogue-changed" || (event.kind === "transfer" && event.transfer.state !== "running");
