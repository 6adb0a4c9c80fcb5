import { createStore } from "zustand/vanilla";
import type { FleetView, StreamItem } from "#contract/views.ts";

export interface FleetState {
  readonly view: FleetView | undefined;
  readonly problem: string | undefined;
}

export const createFleetStore = () =>
  createStore<FleetState>(() => ({ view: undefined, problem: undefined }));

/** The fleet as it was just loaded. Devices that did not change stay the same objects, so their rows are not redrawn. */
export const withFleet = ({ view: before }: FleetState, view: FleetView): FleetState => {
  const known = new Map(before?.devices.map((device) => [device.name, device]));
  const devices = view.devices.map((device) => {
    const same = known.get(device.name);
    return same !== undefined && JSON.stringify(same) === JSON.stringify(device) ? same : device;
  });
  return { view: { ...view, devices }, problem: undefined };
};

/** The fleet after one more item of the stream: only the board that changed becomes a new object. */
export const applyToFleet = (state: FleetState, { event }: StreamItem): FleetState => {
  if (event.kind !== "board" || state.view === undefined) return state;
  const { device: name, board } = event;
  if (!state.view.devices.some((device) => device.name === name)) return state;
  const devices = state.view.devices.map((device) =>
    device.name === name ? { ...device, board, address: board.address } : device,
  );
  return { ...state, view: { ...state.view, devices } };
};
