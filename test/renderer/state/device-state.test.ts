import { expect, test } from "vitest";
import type { DeviceView, LiveDevice } from "#contract/views.ts";
import { stateOf } from "#renderer/state/device-state.ts";

const device = (name: string, more: Partial<DeviceView> = {}): DeviceView => ({
  name,
  kind: "virtual",
  connected: true,
  ...more,
});
const live = (name: string, phase: LiveDevice["phase"], more: Partial<LiveDevice> = {}): LiveDevice => ({
  device: name,
  phase,
  ...more,
});

test.each<[DeviceView, LiveDevice | undefined, string]>([
  [device("a"), undefined, "connected"],
  [device("a", { connected: false }), undefined, "offline"],
  // a group's devices start with the next study
  [device("a", { connected: false, group: "desk" }), undefined, "idle"],
  [device("a", { connected: false, group: "desk" }), live("a", "training"), "busy"],
  [device("a"), live("a", "drawn"), "busy"],
  [device("a"), live("a", "training", { fraction: 0.4 }), "busy"],
  [device("a"), live("a", "uploading"), "busy"],
  [device("a"), live("a", "folded", { endedMs: 900 }), "waiting"],
  // a device that dropped out is not waiting: what counts is whether it is there
  [device("a", { connected: false }), live("a", "failed", { endedMs: 900 }), "offline"],
  [device("a"), live("a", "failed", { endedMs: 900 }), "connected"],
  [device("a"), live("a", "late", { endedMs: 900 }), "connected"],
])("a device's state, case %#", (view, progress, state) => {
  expect(stateOf(view, progress)).toBe(state);
});
