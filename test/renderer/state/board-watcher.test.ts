import { expect, test } from "vitest";
import type { BoardView } from "#contract/boards.ts";
import { createBoardWatcher } from "#renderer/state/board-watcher.ts";
import { createBoardsStore } from "#renderer/state/boards.ts";

const view = (name: string): BoardView => ({
  name,
  address: "pi@10.0.0.7:22",
  state: "online",
  since: "2026-03-01T10:00:00.000Z",
  setup: "ready",
  target: { host: "10.0.0.7", user: "pi" },
  signIn: "lab-key",
  hostKey: { type: "ssh-ed25519", fingerprint: "SHA256:a" },
  addedAt: "2026-03-01T10:00:00.000Z",
  history: [],
});
const watcher = (ask: (name: string) => Promise<BoardView>) => {
  const boards = createBoardsStore();
  return { boards, ...createBoardWatcher({ boards, ask, reasonOf: (error) => String(error) }) };
};
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("a board is loaded once for two pages, and kept until the last of them is left", async () => {
  const asked: string[] = [];
  const { boards, watch } = watcher(async (name) => {
    asked.push(name);
    return view(name);
  });
  const leave = [watch("pi"), watch("pi")];
  await settled();
  expect(asked).toEqual(["pi"]);
  leave[0]?.();
  expect(boards.getState().open).toHaveProperty("pi");
  leave[1]?.();
  expect(boards.getState().open).toEqual({});
});

test("an answer that comes after the page was left is dropped", async () => {
  const { boards, watch } = watcher(async (name) => view(name));
  watch("pi")();
  await settled();
  expect(boards.getState().open).toEqual({});
});

test("what pages show is loaded again, and a failure says why", async () => {
  let fails = false;
  const { boards, watch, reload } = watcher(async (name) => {
    if (fails) throw new Error("away");
    return view(name);
  });
  watch("pi");
  await settled();
  fails = true;
  reload();
  await settled();
  expect(boards.getState().problems).toEqual({ pi: "Error: away" });
  expect(boards.getState().open).toHaveProperty("pi");
});
