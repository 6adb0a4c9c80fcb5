import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStore, type Store } from "#main/store/store.ts";
import {
  sampleEngine,
  samplePartition,
  sampleRound,
  sampleStudy,
  sampleTensors,
  sampleUpdate,
  temporaryFolder,
} from "./samples.ts";

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;

beforeEach(() => {
  folder = temporaryFolder();
  store = openStore({ dataDir: folder.path });
});
afterEach(() => {
  store.close();
  folder.remove();
});

const at = (minute: number) => `2026-01-02T03:${String(minute).padStart(2, "0")}:00.000Z`;

const createStudy = (name: string) =>
  store.studies.create({
    study: sampleStudy({ name }),
    partition: samplePartition(),
    classes: [],
    engine: sampleEngine,
    runs: [
      { algorithm: "fedavg", trial: 1, seed: 1 },
      { algorithm: "fedntd", trial: 1, seed: 1 },
    ],
  });

const record = async (run: string, round: number, devices: readonly string[]) => {
  const updates = devices.map((device) => sampleUpdate(device, { examples: 100 * round }));
  for (const update of updates) {
    store.record({ at: at(1), kind: "client-update", run, round, update: { ...update, examples: 1 } });
  }
  const result = sampleRound(round, { clients: devices, drawn: devices, updates });
  const checkpoint = await store.checkpoints.write(run, round, sampleTensors(round));
  store.recordRound({ run, result, checkpoint, at: at(1) });
};

const told = (name: string, limit = 100) =>
  store.devices.history(name, limit).map(({ studyName, algorithm, round }) => [studyName, algorithm, round]);

test("a device's updates, newest first, over runs and studies, each with what it was for", async () => {
  const a = createStudy("a");
  const b = createStudy("b");
  const [a1, a2] = a.runs;
  store.runs.setStatus(a1!.id, "running", undefined, at(1));
  await record(a1!.id, 1, ["virtual-1", "virtual-2"]);
  await record(a1!.id, 2, ["virtual-1"]);
  store.runs.setStatus(a1!.id, "done", undefined, at(2));
  // b was recorded later than a's second run will be
  store.runs.setStatus(b.runs[0]!.id, "running", undefined, at(3));
  await record(b.runs[0]!.id, 1, ["virtual-1"]);
  store.runs.setStatus(b.runs[0]!.id, "interrupted", "stopped", at(4));
  store.runs.setStatus(a2!.id, "running", undefined, at(5));
  store.record({
    at: at(5),
    kind: "client-update",
    run: a2!.id,
    round: 1,
    update: sampleUpdate("virtual-1"),
  });

  expect(told("virtual-1")).toEqual([
    ["a", "fedntd", 1],
    ["b", "fedavg", 1],
    ["a", "fedavg", 2],
    ["a", "fedavg", 1],
  ]);
  expect(told("virtual-1", 2)).toHaveLength(2);
  expect(told("virtual-2")).toEqual([["a", "fedavg", 1]]);
  expect(told("virtual-3")).toEqual([]);
  const { device: _, metrics: __, ...rest } = sampleUpdate("virtual-1", { examples: 200 });
  expect(store.devices.history("virtual-1", 3)[2]).toEqual({
    study: a.id,
    studyName: "a",
    run: a1!.id,
    algorithm: "fedavg",
    trial: 1,
    round: 2,
    ...rest,
  });
});

test("the last update of every device that was seen and has one", async () => {
  const { runs } = createStudy("a");
  store.runs.setStatus(runs[0]!.id, "running", undefined, at(1));
  await record(runs[0]!.id, 1, ["virtual-1", "virtual-2", "unseen-1"]);
  await record(runs[0]!.id, 2, ["virtual-2"]);
  for (const name of ["virtual-1", "virtual-2", "idle-1"]) store.devices.upsert({ name, kind: "virtual" });
  const last = store.devices.lastUpdates();
  expect([...last].map(([name, { round, examples }]) => [name, round, examples])).toEqual([
    ["virtual-1", 1, 100],
    ["virtual-2", 2, 200],
  ]);
  expect(last.get("virtual-2")).toEqual(store.devices.history("virtual-2", 1)[0]);
});

test("a device is forgotten unless it is connected, and what it did stays on record", async () => {
  const { runs } = createStudy("a");
  store.runs.setStatus(runs[0]!.id, "running", undefined, at(1));
  await record(runs[0]!.id, 1, ["external-1"]);
  store.record({
    at: at(2),
    kind: "device-joined",
    device: "external-1",
    crew: "external",
    dialect: "flower-1",
    address: "a:1",
  });
  expect(store.devices.forget("external-1")).toBe(false);
  store.record({ at: at(3), kind: "device-left", device: "external-1", reason: "it closed the connection" });
  expect(store.devices.forget("external-1")).toBe(true);
  expect(store.devices.forget("external-1")).toBe(false);
  expect(store.devices.list()).toEqual([]);
  expect(told("external-1")).toEqual([["a", "fedavg", 1]]);
});

test("the history of a device is read by its index, not by reading what all devices did", () => {
  const db = new DatabaseSync(join(folder.path, "fedfleet.db"), { readOnly: true });
  const plan = db
    .prepare(
      "EXPLAIN QUERY PLAN SELECT body FROM client_updates WHERE device = ? AND run_id = ? ORDER BY round DESC, seq DESC LIMIT 5",
    )
    .all("virtual-1", "r-1") as { detail: string }[];
  db.close();
  expect(plan.map(({ detail }) => detail)).toEqual([
    "SEARCH client_updates USING INDEX updates_of_device (device=? AND run_id=?)",
  ]);
});
