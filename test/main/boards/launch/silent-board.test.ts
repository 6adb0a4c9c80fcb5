import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createLaunchLab, type Kept, type LaunchLab, loadShellImage, until } from "./launch-lab.ts";

const NO_BOARDS = canMakeBoards({ namespace: true });
/** SSH takes its connection for dead some time after it. */
const CUT_MS = 14_000;
const SAID_MS = 14_000;

describe.skipIf(skip(NO_BOARDS))(named("a board, or its engine, that says nothing", NO_BOARDS), () => {
  let lab: LaunchLab;
  let kept: Kept;
  beforeAll(async () => {
    lab = await createLaunchLab({ namespace: true });
    await loadShellImage(lab.board.engine);
  }, 120_000);
  afterAll(async () => lab?.close());
  const isRunning = () => kept.client.view().state === "running";
  const events = () => kept.events.map(({ state }) => state);

  test("a network that is cut is no engine that stopped: the client is the same when it is back", async () => {
    lab.does(`while :; do echo "it lives"; sleep 1; done`);
    kept = lab.keep();
    await until("it runs", isRunning);
    const { container } = kept.client.view();
    await lab.board.sshd.cut();
    await until("its silence is known", () => lab.link.state.state === "silent", 10_000);
    await wait(CUT_MS - 5000);
    expect(isRunning()).toBe(true);
    await lab.board.sshd.heal();
    await until("it is back", () => lab.link.state.state === "online", 15_000);
    const heard = kept.lines.length;
    await until("it is heard", () => kept.lines.length > heard);
    // What was asked while it was silent may fail now.
    await wait(9000);
    expect(kept.client.view()).toMatchObject({ state: "running", container, restarts: 0 });
    expect(await lab.board.containers()).toEqual([container]);
    expect(events()).toEqual(["launched"]);
    // What it printed meanwhile is there, in order and once.
    const printed = kept.lines.filter(({ text }) => text === "it lives").length;
    expect(printed).toBeGreaterThan(CUT_MS / 1000);
  }, 90_000);

  test("an engine that hangs on a board that answers is named, and the client is started anew", async () => {
    const pid = Number(readFileSync(join(lab.board.engine.folder, "pid"), "utf8"));
    const hung = performance.now();
    process.kill(pid, "SIGSTOP");
    try {
      await until("it is known", () => kept.client.problem() !== undefined, SAID_MS);
      expect(performance.now() - hung).toBeLessThan(SAID_MS);
      expect(lab.link.state.state).toBe("online");
      expect(kept.client.problem()).toMatchObject({ code: "docker-stopped" });
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await until("it runs again", () => isRunning() && kept.client.view().restarts === 1, 30_000);
    expect(await lab.board.containers()).toHaveLength(1);
    await kept.client.stop(false);
    expect(await lab.board.containers()).toEqual([]);
    expect(kept.bugs).toEqual([]);
  }, 90_000);
});
