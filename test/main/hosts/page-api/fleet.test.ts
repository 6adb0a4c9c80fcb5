import { createRouterClient } from "@orpc/server";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BoardSummary } from "#contract/boards.ts";
import type { CrewKind } from "#contract/fleet.ts";
import { fleetHandlers } from "#main/hosts/page-api/fleet-handlers.ts";
import { openStore, type Store } from "#main/store/store.ts";
import {
  sampleEngine,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  sampleUpdate,
  temporaryFolder,
} from "#test/main/store/samples.ts";

const DAY = 24 * 3600 * 1000;
const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const daysAgo = (days: number): string => new Date(NOW - days * DAY).toISOString();

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let changes: number;
let boards: Map<string, BoardSummary>;

const open = () => {
  changes = 0;
  boards = new Map();
  const handlers = fleetHandlers({
    groups: store.groups,
    devices: store.devices,
    boards: () => boards,
    cursor: store.lastEvent,
    changed: () => {
      changes++;
    },
    now: () => NOW,
  });
  return createRouterClient(handlers);
};
let fleet: ReturnType<typeof open>;

beforeEach(() => {
  folder = temporaryFolder();
  store = openStore({ dataDir: folder.path });
  fleet = open();
});
afterEach(() => {
  store.close();
  folder.remove();
});

const joins = (device: string, at: string, crew: CrewKind = "virtual") =>
  store.record({ at, kind: "device-joined", device, crew, dialect: "flower-1.8", address: "127.0.0.1:9" });
const leaves = (device: string, at: string) =>
  store.record({ at, kind: "device-left", device, reason: "the study ended" });

/** A finished round of one run with an update of each device. */
const train = async (devices: readonly string[]) => {
  const { runs } = store.studies.create({
    study: sampleStudy({ name: "first" }),
    partition: samplePartition(),
    classes: [],
    engine: sampleEngine,
    runs: [{ algorithm: "fedavg", trial: 1, seed: 1 }],
  });
  const run = runs[0]!.id;
  store.runs.setStatus(run, "running");
  const updates = devices.map((device) => sampleUpdate(device));
  const checkpoint = await store.checkpoints.write(run, 1, sampleTensors(1));
  store.recordRound({
    run,
    result: sampleRound(1, { clients: devices, drawn: devices, updates }),
    checkpoint,
  });
  return run;
};

test("an empty lab has an empty fleet", async () => {
  expect(await fleet.view()).toEqual({ groups: [], devices: [], cursor: 0 });
});

test("groups become devices, whether they were seen or not, with profile, state and last update", async () => {
  await fleet.addGroup({ count: 2, name: "steady", slowness: 1, dropOut: 0, crash: 0 });
  await fleet.addGroup({ count: 1, name: "ancient", slowness: 4, dropOut: 0.2, crash: 0.1 });
  expect(changes).toBe(2);
  joins("steady-2", daysAgo(30));
  const run = await train(["steady-2"]);
  const { groups, devices, cursor } = await fleet.view();
  expect(groups.map(({ name }) => name)).toEqual(["steady", "ancient"]);
  expect(cursor).toBe(store.lastEvent());
  expect(cursor).toBeGreaterThan(0);
  const steady = { slowness: 1, dropOut: 0, crash: 0 };
  expect(devices).toEqual([
    { name: "steady-1", kind: "virtual", group: "steady", profile: steady, connected: false },
    {
      name: "steady-2",
      kind: "virtual",
      group: "steady",
      profile: steady,
      connected: true,
      dialect: "flower-1.8",
      address: "127.0.0.1:9",
      firstSeen: daysAgo(30),
      lastSeen: daysAgo(30),
      lastUpdate: store.devices.history("steady-2", 1)[0],
    },
    {
      name: "ancient-1",
      kind: "virtual",
      group: "ancient",
      profile: { slowness: 4, dropOut: 0.2, crash: 0.1 },
      connected: false,
    },
  ]);
  expect(devices[1]!.lastUpdate).toMatchObject({ run, round: 1, studyName: "first", status: "folded" });
  expect(await fleet.history({ name: "steady-2" })).toEqual([devices[1]!.lastUpdate]);
  expect(await fleet.history({ name: "steady-1" })).toEqual([]);
});

test("devices of no group: external ones stay, those of study files while connected and seven days beyond", async () => {
  joins("external-10", daysAgo(400), "external");
  joins("external-2", daysAgo(400), "external");
  joins("virtual-1", daysAgo(8));
  joins("virtual-2", daysAgo(8));
  joins("virtual-3", daysAgo(6));
  joins("lost-1", daysAgo(9));
  for (const name of ["external-10", "external-2"]) leaves(name, daysAgo(399));
  leaves("virtual-1", daysAgo(7.5));
  leaves("virtual-3", daysAgo(5));
  const { devices } = await fleet.view();
  expect(devices.map(({ name, connected }) => [name, connected])).toEqual([
    ["external-2", false],
    ["external-10", false],
    ["lost-1", true],
    ["virtual-2", true],
    ["virtual-3", false],
  ]);
  expect(devices.every((device) => !("group" in device))).toBe(true);
  await fleet.addGroup({ count: 1, name: "virtual", slowness: 1, dropOut: 0, crash: 0 });
  const [first, ...others] = (await fleet.view()).devices;
  expect(first).toMatchObject({ name: "virtual-1", group: "virtual", leftReason: "the study ended" });
  expect(others.filter(({ name }) => name === "virtual-1")).toEqual([]);
});

test("a group is changed and removed; one that is not there says so", async () => {
  const profile = { slowness: 1, dropOut: 0, crash: 0 };
  await fleet.addGroup({ ...profile, count: 2, name: "a" });
  const changed = await fleet.changeGroup({ group: "a", change: { ...profile, count: 1, name: "b" } });
  expect(changed.devices.map(({ name }) => name)).toEqual(["b-1"]);
  expect((await fleet.removeGroup({ group: "b" })).devices).toEqual([]);
  expect(changes).toBe(3);
  for (const ask of [
    () => fleet.changeGroup({ group: "a", change: { ...profile, count: 1, name: "c" } }),
    () => fleet.removeGroup({ group: "a" }),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "There is no group called a any more. It was removed or renamed.",
    });
  }
  expect(changes).toBe(3);
});

test("what a person can mend arrives with its sentence, and nothing has changed", async () => {
  const group = { count: 1, name: "a", slowness: 1, dropOut: 0, crash: 0 };
  await fleet.addGroup(group);
  await expect(fleet.addGroup(group)).rejects.toMatchObject({
    code: "PROBLEM",
    status: 422,
    message: expect.stringMatching(/^There is already a group called a/),
  });
  await expect(fleet.addGroup({ ...group, name: "_" })).rejects.toMatchObject({ code: "BAD_REQUEST" });
  expect((await fleet.view()).groups).toEqual([group]);
  expect(changes).toBe(1);
});

test("a device is forgotten when it is gone: not while it is connected, nor one of a group", async () => {
  joins("external-1", daysAgo(1), "external");
  const refused = expect(fleet.forget({ name: "external-1" })).rejects;
  await refused.toMatchObject({
    code: "PROBLEM",
    message: expect.stringMatching(/^external-1 is connected/),
  });
  leaves("external-1", daysAgo(0));
  expect((await fleet.forget({ name: "external-1" })).devices).toEqual([]);
  expect(changes).toBe(1);
  await expect(fleet.forget({ name: "external-1" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await fleet.addGroup({ count: 1, name: "a", slowness: 1, dropOut: 0, crash: 0 });
  await expect(fleet.forget({ name: "a-1" })).rejects.toMatchObject({
    code: "PROBLEM",
    message: "a-1 belongs to the group a. Change the group's number of devices, or remove the group.",
  });
});

test("a group that is removed takes its offline devices along; their rounds stay on record", async () => {
  await fleet.addGroup({ count: 3, name: "virtual", slowness: 1, dropOut: 0, crash: 0 });
  for (const name of ["virtual-1", "virtual-2"]) joins(name, daysAgo(1));
  joins("external-1", daysAgo(1), "external");
  await train(["virtual-1", "virtual-2"]);
  for (const name of ["virtual-1", "external-1"]) leaves(name, daysAgo(0));
  const { devices } = await fleet.removeGroup({ group: "virtual" });
  expect(devices.map(({ name, connected }) => [name, connected])).toEqual([
    ["external-1", false],
    ["virtual-2", true],
  ]);
  expect(await fleet.history({ name: "virtual-1" })).toHaveLength(1);
});

test("all that are offline and of no group are forgotten at once", async () => {
  await fleet.addGroup({ count: 1, name: "a", slowness: 1, dropOut: 0, crash: 0 });
  joins("a-1", daysAgo(1));
  for (const name of ["external-1", "external-2", "external-3"]) joins(name, daysAgo(1), "external");
  for (const name of ["a-1", "external-1", "external-3"]) leaves(name, daysAgo(0));
  const { devices } = await fleet.forgetOffline();
  expect(devices.map(({ name }) => name)).toEqual(["a-1", "external-2"]);
  expect(devices[0]).toMatchObject({ leftReason: "the study ended" });
  expect(changes).toBe(2);
});

const onlineBoard: BoardSummary = {
  address: "pi@10.0.0.7:22",
  state: "online",
  since: daysAgo(0),
  setup: "ready",
  model: "Raspberry Pi 5",
};

test("boards come first, with what is known of them, and only while they are on the list", async () => {
  store.groups.add({ name: "virtual", count: 1, slowness: 1, dropOut: 0, crash: 0 });
  store.boards.add({
    name: "pi",
    target: { host: "10.0.0.7" },
    signIn: { kind: "agent" },
    hostKey: { type: "ssh-ed25519", fingerprint: "SHA256:abc" },
    ready: true,
    addedAt: daysAgo(1),
  });
  boards.set("pi", onlineBoard);
  joins("pi", daysAgo(0), "board");
  await train(["pi"]);
  const { devices } = await fleet.view();
  expect(devices.map(({ name, kind }) => [name, kind])).toEqual([
    ["pi", "board"],
    ["virtual-1", "virtual"],
  ]);
  expect(devices[0]).toMatchObject({
    board: onlineBoard,
    connected: true,
    address: "pi@10.0.0.7:22",
    lastUpdate: { round: 1, status: "folded" },
  });
  leaves("pi", daysAgo(0));
  boards.delete("pi");
  expect((await fleet.view()).devices.map(({ name }) => name)).toEqual(["virtual-1"]);
});

test("a group whose devices would be called like a board is refused", async () => {
  boards.set("pi-2", onlineBoard);
  const group = { slowness: 1, dropOut: 0, crash: 0 };
  await expect(fleet.addGroup({ ...group, name: "Pi", count: 2 })).rejects.toMatchObject({
    code: "PROBLEM",
    message: expect.stringContaining("A board is already called pi-2"),
  });
  await expect(fleet.addGroup({ ...group, name: "pi", count: 1 })).resolves.toMatchObject({
    groups: [{ name: "pi" }],
  });
  await expect(
    fleet.changeGroup({ group: "pi", change: { ...group, name: "pi", count: 2 } }),
  ).rejects.toMatchObject({ code: "PROBLEM" });
});
