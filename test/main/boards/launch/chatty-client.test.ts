import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createLaunchLab, type LaunchLab, loadShellImage, until } from "./launch-lab.ts";

const NO_BOARDS = canMakeBoards();
const LINES = 500_000;

describe.skipIf(skip(NO_BOARDS))(named("a client that prints more than anybody can read", NO_BOARDS), () => {
  let lab: LaunchLab;
  beforeAll(async () => {
    lab = await createLaunchLab();
    await loadShellImage(lab.board.engine);
  }, 120_000);
  afterAll(async () => lab?.close());

  test("does not stall the lab: what is left out is counted, and its last lines are there", async () => {
    lab.does(`sleep 1; yes "no news is good news, the client said, and said so again" | head -n ${LINES}
echo '{"event":"progress","run":"r1","round":1,"fraction":1}'; sleep 0.5; echo "KeyError: 'weights'" >&2; exit 3`);
    const kept = lab.keep({ timing: { backOffMs: [60_000] } });
    await until("it runs", () => kept.client.view().state === "running");
    const cpu = process.cpuUsage();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    const begun = performance.now();
    delay.enable();
    await until("it ended", () => kept.client.problem() !== undefined, 60_000);
    delay.disable();
    const { user, system } = process.cpuUsage(cpu);
    const share = (user + system) / 1000 / (performance.now() - begun);
    const seen = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6, share };
    expect(seen.p99, JSON.stringify(seen)).toBeLessThan(60);
    // Its first megabytes come at once: as many as the SSH connection takes unread.
    expect(seen.max, JSON.stringify(seen)).toBeLessThan(700);
    expect(seen.share, JSON.stringify(seen)).toBeLessThan(0.7);
    expect(kept.lines.length).toBeGreaterThan(1000);
    expect(kept.lines.length).toBeLessThan(3000);
    const said = kept.lines.filter(({ stream }) => stream === "lab").map(({ text }) => text);
    expect(said.length).toBeGreaterThan(1);
    for (const text of said.slice(0, -1)) {
      expect(text).toMatch(
        /^at least [\d,]+ lines were left out here: the client prints more than 100 a second$/,
      );
    }
    // Why it ended is there all the same, and is on record.
    expect(kept.client.problem()).toMatchObject({
      title: "The client ended with exit code 3",
      raw: "KeyError: 'weights'",
    });
    expect(kept.lines.filter(({ text }) => text === "KeyError: 'weights'")).toHaveLength(1);
    expect(kept.progress.at(-1)).toEqual({ run: "r1", round: 1, fraction: 1 });
    await kept.client.stop(false);
    expect(kept.bugs).toEqual([]);
    expect(await lab.board.containers()).toEqual([]);
  }, 120_000);
});
