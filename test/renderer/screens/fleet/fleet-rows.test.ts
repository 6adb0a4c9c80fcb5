import { expect, test } from "vitest";
import type { DeviceUpdate, DeviceView, LiveDevice, LiveRound } from "#contract/views.ts";
import {
  leftText,
  matches,
  profileText,
  rowsOf,
  type SortKey,
  sorted,
  stateOf,
  summaryOf,
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

test.each<[DeviceView, LiveDevice | undefined, string]>([
  [device("a"), undefined, "connected"],
  [device("a", { connected: false }), undefined, "offline"],
  [device("a"), live("a", "drawn"), "work"],
  [device("a"), live("a", "training", { fraction: 0.4 }), "work"],
  [device("a"), live("a", "uploading"), "work"],
  [device("a"), live("a", "folded", { endedMs: 900 }), "waiting"],
  // a device that dropped out is not waiting: what counts is whether it is there
  [device("a", { connected: false }), live("a", "failed", { endedMs: 900 }), "offline"],
  [device("a"), live("a", "failed", { endedMs: 900 }), "connected"],
  [device("a"), live("a", "late", { endedMs: 900 }), "connected"],
])("a device's state, case %#", (view, progress, state) => {
  expect(stateOf(view, progress)).toBe(state);
});

test("the summary counts kinds and who is at work", () => {
  const devices = [device("a"), device("b"), device("c", { kind: "external" })];
  expect(summaryOf(rowsOf(devices, round(live("a", "training"), live("b", "folded"))))).toBe(
    "3 devices · 2 virtual, 1 external · 1 at work",
  );
  expect(summaryOf(rowsOf([device("a")], undefined))).toBe("1 device · 1 virtual · none at work");
});

test("a row keeps the objects that it is drawn from, so that others are not drawn again", () => {
  const devices = [device("a"), device("b")];
  const b = live("b", "training", { fraction: 0.1 });
  const before = rowsOf(devices, round(live("a", "training", { fraction: 0.1 }), b));
  const after = rowsOf(devices, round(live("a", "training", { fraction: 0.2 }), b));
  expect(after[1]?.live).toBe(before[1]?.live);
  expect(after[1]?.device).toBe(before[1]?.device);
});

test("devices are in the order of their numbers, whatever the direction says of equals", () => {
  const rows = rowsOf([device("v-10"), device("v-9"), device("v-1")], undefined);
  const names = (by: SortKey, down: boolean) => sorted(rows, { by, down }).map((row) => row.device.name);
  expect(names("device", false)).toEqual(["v-1", "v-9", "v-10"]);
  expect(names("device", true)).toEqual(["v-10", "v-9", "v-1"]);
  expect(names("kind", true)).toEqual(["v-1", "v-9", "v-10"]);
});

test("the slowest comes first when the last round is sorted downwards; who had none comes last", () => {
  const rows = rowsOf(
    [device("a", { lastUpdate: update(10) }), device("b"), device("c", { lastUpdate: update(900) })],
    undefined,
  );
  expect(sorted(rows, { by: "lastRound", down: true }).map((row) => row.device.name)).toEqual([
    "c",
    "a",
    "b",
  ]);
});

test("last seen: who is there, then the latest, then who was never seen", () => {
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
  expect(sorted(rows, { by: "lastSeen", down: false }).map((row) => row.device.name)).toEqual([
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
  expect(matches(row, "slow offline")).toBe(true);
  expect(matches(row, "FORGETTING")).toBe(true);
  expect(matches(row, "drop-out")).toBe(true);
  expect(matches(row, "slow connected")).toBe(false);
});

test("a profile in words", () => {
  expect(profileText({ slowness: 1, dropOut: 0, crash: 0 })).toBe("full speed");
  expect(profileText({ slowness: 2.5, dropOut: 0.07, crash: 0.005 })).toBe(
    "2.5× slower · drop-out 7% · crash 0.5%",
  );
});

test("large numbers are written in one way", () => {
  const many = Array.from({ length: 1200 }, (_, i) => device(`v-${i}`));
  expect(summaryOf(rowsOf(many, undefined))).toBe("1,200 devices · 1,200 virtual · none at work");
});

test.each([
  ["sent away", "the study ended"],
  ["left when it was sent away", "the study ended"],
  ["sent away before it answered", "the study ended before it answered"],
  ["its process died", "its process died"],
])("a device that has left: %s", (reason, words) => {
  expect(leftText(reason)).toBe(words);
});
