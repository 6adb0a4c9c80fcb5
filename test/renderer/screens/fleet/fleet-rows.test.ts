import { expect, test } from "vitest";
import type { DeviceUpdate, DeviceView, LiveDevice, LiveRound } from "#contract/views.ts";
import {
  canDelete,
  fleetSummary,
  matchesFilter,
  rowsOf,
  type SortKey,
  sortedRows,
} from "#renderer/screens/fleet/fleet-rows.ts";

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
const round = (...devices: LiveDevice[]): LiveRound => ({
  run: "r",
  round: 3,
  startedAt: "2026-01-01T00:00:00.000Z",
  devices,
});
const update = (computeMs?: number): DeviceUpdate => ({
  study: "s",
  studyName: "Forgetting",
  run: "r",
  algorithm: "fedavg",
  trial: 1,
  round: 2,
  status: "folded",
  bytesDown: 1,
  bytesUp: 1,
  timing: computeMs === undefined ? {} : { computeMs },
});

test("the summary counts devices by their kind, whatever their names, and those that are busy", () => {
  const devices = [device("a"), device("external-1"), device("c", { kind: "external" })];
  expect(fleetSummary(rowsOf(devices, round(live("a", "training"), live("external-1", "folded"))))).toBe(
    "3 devices · 2 virtual, 1 external · 1 busy",
  );
  expect(fleetSummary(rowsOf([device("a")], undefined))).toBe("1 device · 1 virtual · none busy");
});

test("a row keeps the objects that it is drawn from, so that others are not drawn again", () => {
  const devices = [device("a"), device("b")];
  const b = live("b", "training", { fraction: 0.1 });
  const before = rowsOf(devices, round(live("a", "training", { fraction: 0.1 }), b));
  const after = rowsOf(devices, round(live("a", "training", { fraction: 0.2 }), b));
  expect(after[1]?.live).toBe(before[1]?.live);
  expect(after[1]?.device).toBe(before[1]?.device);
});

test("devices are in the order of their numbers, in either direction where they compare equal", () => {
  const rows = rowsOf([device("v-10"), device("v-9"), device("v-1")], undefined);
  const names = (by: SortKey, down: boolean) => sortedRows(rows, { by, down }).map((row) => row.device.name);
  expect(names("device", false)).toEqual(["v-1", "v-9", "v-10"]);
  expect(names("device", true)).toEqual(["v-10", "v-9", "v-1"]);
  expect(names("kind", true)).toEqual(["v-1", "v-9", "v-10"]);
});

test("sorted downwards by the last round, the slowest comes first, a device without a round last", () => {
  const rows = rowsOf(
    [device("a", { lastUpdate: update(10) }), device("b"), device("c", { lastUpdate: update(900) })],
    undefined,
  );
  expect(sortedRows(rows, { by: "lastRound", down: true }).map((row) => row.device.name)).toEqual([
    "c",
    "a",
    "b",
  ]);
});

test("last seen: connected devices first, then the latest, then those never seen", () => {
  const rows = rowsOf(
    [
      device("never", { connected: false }),
      device("old", { connected: false, lastSeen: "2026-01-01T00:00:00Z" }),
      device("here"),
      device("new", { connected: false, lastSeen: "2026-01-02T00:00:00Z" }),
      device("also"),
    ],
    undefined,
  );
  expect(sortedRows(rows, { by: "lastSeen", down: false }).map((row) => row.device.name)).toEqual([
    "also",
    "here",
    "new",
    "old",
    "never",
  ]);
});

test("the filter wants every word, in any of name, group, state, profile or study", () => {
  const [row] = rowsOf(
    [
      device("slow-3", {
        group: "slow",
        profile: { slowness: 3, dropOut: 0.05, crash: 0 },
        lastUpdate: update(),
        connected: false,
      }),
    ],
    undefined,
  );
  if (row === undefined) throw new Error("no row");
  expect(matchesFilter(row, "slow idle")).toBe(true);
  expect(matchesFilter(row, "FORGETTING")).toBe(true);
  expect(matchesFilter(row, "drop-out")).toBe(true);
  expect(matchesFilter(row, "slow connected")).toBe(false);
});

test("large numbers are written in one way", () => {
  const many = Array.from({ length: 1200 }, (_, i) => device(`v-${i}`));
  expect(fleetSummary(rowsOf(many, undefined))).toBe("1,200 devices · 1,200 virtual · none busy");
});

test("only a device that is gone, in no group and no board can be deleted from the list", () => {
  const gone = { connected: false };
  expect(canDelete(device("a", gone))).toBe(true);
  expect(canDelete(device("a", { ...gone, kind: "external" }))).toBe(true);
  expect(canDelete(device("a"))).toBe(false);
  expect(canDelete(device("a", { ...gone, group: "desk" }))).toBe(false);
  expect(canDelete(device("a", { ...gone, kind: "board" }))).toBe(false);
});
