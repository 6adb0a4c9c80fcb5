import { describe, expect, it } from "vitest";
import type { BoardProblem, BoardProblemCode } from "#contract/boards.ts";
import type { ClientEnd } from "#main/boards/launch/diagnose.ts";
import type { KeepCommand, KeepEvent, KeepState, Wish } from "#main/boards/launch/keep-state.ts";
import { beginKeeping, stepKeeping } from "#main/boards/launch/keep-steps.ts";

const TIMING = { backOffMs: [100, 200], resetMs: 1000 };
const NOW = Date.parse("2026-03-01T12:00:00.000Z");

const problem = (code: BoardProblemCode): BoardProblem => ({ code, title: code, cause: "It.", next: "Do." });
const EXITED: ClientEnd = { how: "exited", exitCode: 1, oomKilled: false, lastLines: ["last"] };
const LAUNCHED = { kind: "launched", container: "c", image: "i", startedAt: "now" } as const;
const DONE = { kind: "ending-done", removed: false, now: NOW } as const;
const ended = (
  code: BoardProblemCode = "client-exited",
  more: Partial<ClientEnd> = {},
  ranMs = 10,
): KeepEvent => ({
  kind: "client-ended",
  end: { ...EXITED, ...more },
  problem: problem(code),
  ranMs,
});
const notLaunched = (code: BoardProblemCode, connectionLost = false): KeepEvent => ({
  kind: "launch-failed",
  problem: problem(code),
  connectionLost,
  now: NOW,
});
const asked = (wish: Wish): KeepEvent => ({ kind: "asked", wish });
const RESTART = asked({ kind: "restart" });
const STOP = asked({ kind: "stop", graceMs: 500 });
const hold = (keepContainer: boolean): KeepEvent => asked({ kind: "hold", keepContainer });

/** What follows from several events: the last state, and the commands of the last of them. */
const outcome = (...events: readonly KeepEvent[]): { state: KeepState; commands: readonly KeepCommand[] } =>
  events.reduce((step, event) => stepKeeping(step.state, event, TIMING), beginKeeping("s1", "r1"));
const what = ({ commands }: { readonly commands: readonly KeepCommand[] }): string[] =>
  commands.map((command) => (command.do === "announce" ? `announce ${command.state}` : command.do));
const ONLINE: readonly KeepEvent[] = [{ kind: "board-online" }];
const RUNNING: readonly KeepEvent[] = [...ONLINE, LAUNCHED];

describe("the client of a study", () => {
  it("waits for its board, is launched when the board is there, and runs", () => {
    expect(what(beginKeeping("s1", "r1"))).toEqual(["await-board"]);
    const online = outcome(...ONLINE);
    expect(online.state).toMatchObject({ phase: "launching", view: { state: "launching" } });
    expect(what(online)).toEqual(["show", "launch"]);
    const running = outcome(...RUNNING);
    expect(running.state).toMatchObject({
      phase: "running",
      view: { state: "running", container: "c", image: "i", startedAt: "now", restarts: 0, run: "r1" },
    });
    expect(what(running)).toEqual(["show", "announce launched"]);
  });

  it("says why it waits while its board is locked, and no longer once it runs", () => {
    const locked = outcome({ kind: "board-locked", problem: problem("host-key-changed") });
    expect(locked.state).toMatchObject({
      phase: "connecting",
      view: { state: "waiting", problem: { code: "host-key-changed" } },
    });
    const running = outcome({ kind: "board-locked", problem: problem("host-key-changed") }, ...RUNNING);
    expect(running.state.problem).toBeUndefined();
    expect(running.state.view).not.toHaveProperty("problem");
  });

  it("that ends is known at once, put away, reported, and started again after a wait", () => {
    const gone = outcome(...RUNNING, ended());
    expect(gone.state).toMatchObject({ phase: "ending", problem: { code: "client-exited" } });
    expect(gone.commands).toEqual([{ do: "show" }, { do: "finish", graceMs: 0, keep: true }]);
    const resting = outcome(...RUNNING, ended(), DONE);
    expect(resting.commands).toContainEqual({ do: "rest", ms: 100 });
    expect(what(resting)).toEqual(["announce ended", "say", "show", "rest"]);
    expect(resting.state.view).toMatchObject({
      state: "waiting",
      exitCode: 1,
      lastLines: ["last"],
      retryAt: new Date(NOW + 100).toISOString(),
    });
    const again = outcome(...RUNNING, ended(), DONE, { kind: "rested" }, ...RUNNING);
    expect(again.state.view).toMatchObject({ state: "running", restarts: 1 });
    for (const over of ["exitCode", "lastLines", "oomKilled", "retryAt"])
      expect(again.state.view).not.toHaveProperty(over);
  });

  it("waits longer each time, and begins with the first wait again after it lasted", () => {
    const round = (ranMs: number): KeepEvent[] => [
      ...RUNNING,
      ended("client-exited", {}, ranMs),
      DONE,
      { kind: "rested" },
    ];
    const wait = (...before: readonly KeepEvent[]): unknown =>
      outcome(...before, ...RUNNING, ended(), DONE).commands.find((command) => command.do === "rest");
    expect(wait(...round(10))).toEqual({ do: "rest", ms: 200 });
    expect(wait(...round(10), ...round(10), ...round(10))).toEqual({ do: "rest", ms: 200 });
    const lasted = outcome(...round(10), ...RUNNING, ended("client-exited", {}, 2000), DONE);
    expect(lasted.commands).toContainEqual({ do: "rest", ms: 100 });
  });

  it("whose connection breaks is not reported: the link does that", () => {
    const lost = outcome(...RUNNING, ended("connection-lost", { how: "connection-lost" }));
    expect(lost.state).toMatchObject({ phase: "connecting", view: { state: "waiting" } });
    expect(what(lost)).toEqual(["say", "show", "await-board"]);
    const unlaunched = outcome(...ONLINE, notLaunched("connection-lost", true));
    expect(unlaunched.state.phase).toBe("connecting");
    expect(what(unlaunched)).toEqual(["await-board"]);
  });

  it("is given up where trying again would end the same way; a person may start it", () => {
    const given = outcome(...ONLINE, notLaunched("image-missing"));
    expect(given.state).toMatchObject({ phase: "given-up", view: { state: "exited" } });
    expect(what(given)).toEqual(["announce ended", "say", "show"]);
    const restarted = outcome(...ONLINE, notLaunched("image-missing"), RESTART);
    expect(restarted.state.phase).toBe("connecting");
    expect(what(restarted)).toEqual(["connect-board", "stop-waiting", "await-board"]);
  });

  it("that fails to launch the same way again is announced once", () => {
    const first = outcome(...ONLINE, notLaunched("disk-full"));
    expect(what(first)).toContain("announce ended");
    const second = outcome(
      ...ONLINE,
      notLaunched("disk-full"),
      { kind: "rested" },
      ...ONLINE,
      notLaunched("disk-full"),
    );
    expect(what(second)).toEqual(["say", "show", "rest"]);
  });

  it("that finds its data damaged gets them again once, then is given up; a person gives it another chance", () => {
    const damaged: readonly KeepEvent[] = [...RUNNING, ended("data-damaged"), DONE];
    const once = outcome(...damaged);
    expect(once.state.phase).toBe("resting");
    expect(what(once)[0]).toBe("distrust-data");
    const twice: readonly KeepEvent[] = [...damaged, { kind: "rested" }, ...damaged];
    expect(outcome(...twice).state.phase).toBe("given-up");
    expect(outcome(...twice, RESTART, ...damaged).state.phase).toBe("resting");
  });

  it("is stopped with its grace period, and is over when its container is gone", () => {
    const stopping = outcome(...RUNNING, STOP);
    expect(stopping.commands).toEqual([{ do: "show" }, { do: "finish", graceMs: 500, keep: false }]);
    expect(stopping.state.view.state).toBe("stopping");
    const over = outcome(...RUNNING, STOP, DONE);
    expect(what(over)).toEqual(["announce removed", "show"]);
    expect(over.state).toMatchObject({ phase: "over", view: { state: "exited" } });
  });

  it("is stopped in every other phase by clearing what is left on the board", () => {
    const phases: Record<string, readonly KeepEvent[]> = {
      connecting: [],
      resting: [...ONLINE, notLaunched("disk-full")],
      "given-up": [...ONLINE, notLaunched("image-missing")],
      held: [hold(true)],
      closing: [{ kind: "study-over" }],
    };
    for (const [phase, before] of Object.entries(phases)) {
      expect(outcome(...before).state.phase, phase).toBe(phase);
      expect(what(outcome(...before, STOP)), phase).toEqual(["show", "stop-waiting", "clear"]);
      const over = outcome(...before, STOP, { ...DONE, removed: true });
      expect(what(over), phase).toEqual(["announce removed", "show"]);
      expect(over.state.phase, phase).toBe("over");
    }
  });

  it("stopped while it is launched is cancelled; one that was too far is removed, without a word of having run", () => {
    expect(what(outcome(...ONLINE, STOP))).toEqual(["show", "cancel-launch"]);
    expect(what(outcome(...ONLINE, STOP, notLaunched("cancelled")))).toEqual(["clear"]);
    const tooFar = outcome(...ONLINE, STOP, LAUNCHED);
    expect(tooFar.commands).toEqual([{ do: "finish", graceMs: 0, keep: false }]);
    expect(outcome(...ONLINE, STOP, LAUNCHED, DONE, DONE).state.phase).toBe("over");
  });

  it("that ends by itself while its study stops is not reported", () => {
    const over = outcome(...RUNNING, { kind: "study-over" }, ended(), DONE);
    expect(over.state.phase).toBe("closing");
    expect(what(over)).toEqual([]);
  });

  it("is held with or without its container, and let go on", () => {
    const held = outcome(...RUNNING, hold(true), DONE);
    expect(held.state).toMatchObject({ phase: "held", view: { state: "exited" } });
    expect(what(held)).toEqual(["announce ended", "show"]);
    expect(what(outcome(...RUNNING, hold(true), DONE, hold(false)))).toEqual([
      "show",
      "stop-waiting",
      "clear",
    ]);
    expect(what(outcome(...RUNNING, hold(false), DONE))).toEqual(["announce removed", "show"]);
    expect(outcome(...RUNNING, hold(true), DONE, RESTART).state.phase).toBe("connecting");
    expect(outcome(hold(true), { kind: "board-online" }).state.phase).toBe("held");
  });

  it("let go on while it is still being stopped waits until the old container is put away", () => {
    const both = outcome(...RUNNING, hold(true), RESTART);
    expect(both.state.phase).toBe("ending");
    expect(what(both)).toEqual(["connect-board"]);
    const next = outcome(...RUNNING, hold(true), RESTART, DONE);
    expect(next.state).toMatchObject({ phase: "connecting" });
    expect(next.state.wish).toBeUndefined();
  });

  it("restarted while it runs is replaced, which is no news", () => {
    const replaced = outcome(...RUNNING, RESTART);
    expect(replaced.commands).toEqual([{ do: "connect-board" }, { do: "finish", graceMs: 0, keep: false }]);
    expect(what(outcome(...RUNNING, RESTART, DONE))).toEqual(["await-board"]);
    expect(outcome(...RUNNING, RESTART, DONE, ...RUNNING).state.view.restarts).toBe(1);
  });

  it("takes no more wishes once it is stopped, and is over at the deadline", () => {
    expect(outcome(...RUNNING, STOP, RESTART).state.wish).toEqual({ kind: "stop", graceMs: 500 });
    expect(outcome(...RUNNING, STOP, hold(true)).state.wish).toEqual({ kind: "stop", graceMs: 500 });
    const late = outcome(...RUNNING, STOP, { kind: "stop-overdue" });
    expect(late.state).toMatchObject({ phase: "over", view: { state: "exited" } });
    expect(outcome(...RUNNING, STOP, { kind: "stop-overdue" }, DONE).commands).toEqual([]);
  });

  it("tells at once for which run it works", () => {
    const next = outcome(...RUNNING, { kind: "run-began", run: "r2" });
    expect(next.state.view).toMatchObject({ run: "r2", state: "running" });
    expect(what(next)).toEqual(["show"]);
  });
});

describe("whatever happens, in whatever order", () => {
  it("a client that is stopped comes to its end, and nothing runs twice", () => {
    const events: readonly KeepEvent[] = [
      { kind: "board-away" },
      { kind: "board-locked", problem: problem("no-agent") },
      { kind: "board-online" },
      LAUNCHED,
      notLaunched("disk-full"),
      notLaunched("connection-lost", true),
      ended(),
      ended("connection-lost", { how: "connection-lost" }),
      DONE,
      { kind: "rested" },
      { kind: "run-began", run: "r2" },
      { kind: "study-over" },
      RESTART,
      hold(true),
      hold(false),
    ];
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let trial = 0; trial < 2000; trial++) {
      let { state } = beginKeeping("s1", "r1");
      for (let i = 0; i < 30; i++) state = stepKeeping(state, events[random(events.length)]!, TIMING).state;
      state = stepKeeping(state, STOP, TIMING).state;
      // What is in progress comes to its own end.
      for (let i = 0; i < 4 && state.phase !== "over"; i++) {
        const next = state.phase === "launching" ? notLaunched("cancelled") : DONE;
        state = stepKeeping(state, next, TIMING).state;
      }
      expect(state.phase).toBe("over");
      expect(state.wish).toBeUndefined();
    }
  });
});
