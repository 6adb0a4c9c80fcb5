import { expect, test } from "vitest";
import type { DeviceView, FleetView } from "#contract/views.ts";
import { withFleet } from "#renderer/state/fleet.ts";

const device = (name: string, connected: boolean): DeviceView => ({ name, kind: "virtual", connected });
const view = (...devices: DeviceView[]): FleetView => ({ groups: [], devices, cursor: 1 });

test("devices that are as before stay the same objects; others are what was told last", () => {
  const first = withFleet({ view: undefined, problem: "away" }, view(device("a", true), device("b", true)));
  const next = withFleet(first, view(device("a", true), device("b", false), device("c", true)));
  expect(first.problem).toBeUndefined();
  expect(next.view?.devices[0]).toBe(first.view?.devices[0]);
  expect(next.view?.devices.map(({ name, connected }) => [name, connected])).toEqual([
    ["a", true],
    ["b", false],
    ["c", true],
  ]);
});
