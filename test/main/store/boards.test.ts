import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StoredBoard } from "#main/store/boards.ts";
import { openStore, type Store } from "#main/store/store.ts";

let dir: string;
let store: Store;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fedfleet-boards-"));
  store = openStore({ dataDir: dir });
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});
const reopen = (): void => {
  store.close();
  store = openStore({ dataDir: dir });
};

const board = (name: string, change: Partial<StoredBoard> = {}): StoredBoard => ({
  name,
  target: { host: "10.0.0.7" },
  signIn: { kind: "lab-key" },
  hostKey: { type: "ssh-ed25519", fingerprint: "SHA256:abc" },
  ready: false,
  addedAt: "2026-01-02T03:04:05.000Z",
  ...change,
});

test("boards come back as they were saved, in the order in which they were added", () => {
  const pi = board("pi", {
    target: { host: "pi.local", port: 2222, user: "pi" },
    signIn: { kind: "key", path: "/home/me/.ssh/id" },
    dataFolder: "/data/cifar",
  });
  store.boards.add(pi);
  store.boards.add(board("jetson"));
  reopen();
  expect(store.boards.list()).toEqual([pi, board("jetson")]);
  const { dataFolder: _, ...bare } = pi;
  store.boards.save({ ...bare, ready: true });
  expect(store.boards.list()[0]).toEqual({ ...bare, ready: true });
  expect(store.boards.has("pi")).toBe(true);
  expect(store.boards.remove("pi")).toBe(true);
  expect(store.boards.remove("pi")).toBe(false);
  expect(store.boards.has("pi")).toBe(false);
});

test("no two boards have the same name, in upper or lower case", () => {
  store.boards.add(board("pi"));
  expect(() => store.boards.add(board("Pi"))).toThrow("There is already a board called pi");
  expect(store.boards.list()).toHaveLength(1);
});

test("a board's client that joins is on record as a board", () => {
  store.boards.add(board("pi"));
  store.record({
    at: "2026-01-01T00:00:00.000Z",
    kind: "device-joined",
    device: "pi",
    crew: "board",
    dialect: "flwr",
    address: "pi",
  });
  store.record({
    at: "2026-01-01T00:00:00.000Z",
    kind: "device-joined",
    device: "v-1",
    crew: "virtual",
    dialect: "flwr",
    address: "x",
  });
  expect(store.devices.list().map(({ name, kind }) => [name, kind])).toEqual([
    ["pi", "board"],
    ["v-1", "virtual"],
  ]);
});

test("the lab's id is made once and stays", () => {
  const id = store.labId();
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  reopen();
  expect(store.labId()).toBe(id);
});

test("studies whose data are still on a board are known until they are gone", () => {
  store.boards.drops.add("pi", "s1");
  store.boards.drops.add("pi", "s1");
  store.boards.drops.add("pi", "s2");
  store.boards.drops.done("pi", "s1");
  reopen();
  expect(store.boards.drops.list("pi")).toEqual(["s2"]);
  expect(store.boards.drops.list("other")).toEqual([]);
});

test("lines are found by study and by words, page by page; signs of LIKE are plain letters", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const line = (text: string, study?: string) => ({
    at,
    stream: "stdout" as const,
    text,
    ...(study === undefined ? {} : { study }),
  });
  const added = store.boardLog.append("pi", [
    line("loss 50%", "s1"),
    line("loss 500", "s1"),
    line("A_b", "s2"),
    line("AXb"),
  ]);
  store.boardLog.append("other", [line("loss 50%")]);
  expect(added.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  const texts = (query: object) =>
    store.boardLog.find({ name: "pi", limit: 10, ...query }).lines.map(({ text }) => text);
  expect(texts({})).toEqual(["loss 50%", "loss 500", "A_b", "AXb"]);
  expect(texts({ search: "50%" })).toEqual(["loss 50%"]);
  expect(texts({ search: "a_B" })).toEqual(["A_b"]);
  expect(texts({ study: "s1" })).toEqual(["loss 50%", "loss 500"]);
  expect(store.boardLog.find({ name: "pi", limit: 2 })).toMatchObject({
    lines: [{ text: "A_b" }, { text: "AXb" }],
    more: true,
  });
  expect(store.boardLog.find({ name: "pi", limit: 2, before: 3 })).toMatchObject({
    lines: [{ text: "loss 50%" }, { text: "loss 500" }],
    more: false,
  });
});

test("of each board, the newest fifty thousand lines are kept", () => {
  const lines = (n: number, text: string) =>
    Array.from({ length: n }, (_, i) => ({ at: "t", stream: "stdout" as const, text: `${text} ${i}` }));
  store.boardLog.append("other", lines(10, "other"));
  for (let i = 0; i < 55; i++) store.boardLog.append("pi", lines(1001, `batch ${i}`));
  const oldest = (search: string) => store.boardLog.find({ name: "pi", search, limit: 1 }).lines.length;
  expect(oldest("batch 0 ")).toBe(0);
  expect(oldest("batch 54 1000")).toBe(1);
  expect(store.boardLog.find({ name: "other", limit: 100 }).lines).toHaveLength(10);
});

test("telemetry comes back from a time on, and old points go", () => {
  const now = Date.parse("2026-01-10T00:00:00.000Z");
  const point = (daysAgo: number) => ({
    at: new Date(now - daysAgo * 86_400_000).toISOString(),
    temperature: daysAgo,
  });
  store.boardLog.addPoints([8, 2, 1].map((days) => ({ device: "pi", point: point(days) })));
  store.boardLog.addPoints([{ device: "other", point: point(8) }]);
  expect(store.boardLog.points("pi", point(2).at, 10)).toEqual([point(2), point(1)]);
  expect(store.boardLog.points("pi", "2000", 1)).toEqual([point(1)]);
  store.boardLog.forgetOldPoints("pi", now);
  expect(store.boardLog.points("pi", "2000", 10)).toEqual([point(2), point(1)]);
  expect(store.boardLog.points("other", "2000", 10)).toEqual([point(8)]);
});
