import { expect, test, vi } from "vitest";
import type { Activity } from "#contract/views.ts";
import {
  afterRound,
  type Choice,
  decide,
  type Question,
  questionFor,
} from "#main/hosts/desktop/close-question.ts";
import { createLeaving } from "#main/hosts/desktop/leaving.ts";

const IDLE: Activity = { queue: [] };
const WAITING: Activity = { queue: ["b"] };
const RUNNING: Activity = { study: "a", phase: "running", queue: [] };
const phase = (name: NonNullable<Activity["phase"]>): Activity => ({ ...RUNNING, phase: name });

test.each([
  ["close-window", IDLE, "linux", "leave"],
  ["close-window", IDLE, "win32", "leave"],
  ["close-window", IDLE, "darwin", "close"],
  ["close-window", RUNNING, "linux", "ask"],
  ["close-window", RUNNING, "win32", "ask"],
  ["close-window", RUNNING, "darwin", "ask"],
  ["close-window", phase("paused"), "linux", "ask"],
  ["close-window", WAITING, "linux", "ask"],
  ["quit", IDLE, "linux", "leave"],
  ["quit", IDLE, "darwin", "leave"],
  ["quit", RUNNING, "linux", "ask"],
  ["quit", RUNNING, "darwin", "ask"],
  ["quit", phase("stopping-now"), "linux", "ask"],
  ["shutdown", RUNNING, "linux", "leave"],
  ["shutdown", RUNNING, "darwin", "leave"],
  ["shutdown", IDLE, "win32", "leave"],
] as const)("%s, %o, on %s: %s", (wish, activity, platform, decision) => {
  expect(decide(wish, activity, platform)).toBe(decision);
});

test.each([
  ["starting", ["background", "now", "cancel"]],
  ["running", ["background", "after-round", "now", "cancel"]],
  ["pausing", ["background", "after-round", "now", "cancel"]],
  ["paused", ["background", "now", "cancel"]],
  ["stopping-after-round", ["background", "after-round", "now", "cancel"]],
  ["stopping-now", ["background", "now", "cancel"]],
] as const)("what can be chosen while a study is %s", (name, choices) => {
  expect(questionFor(phase(name), "Demo").choices.map(({ choice }) => choice)).toEqual(choices);
});

test("the question names the study, what waits behind it, and what each way costs", () => {
  const question = questionFor({ ...RUNNING, queue: ["b", "c"] }, "Forgetting");
  expect(question.message).toBe("“Forgetting” is running. 2 more studies are queued.");
  expect(question.detail).toContain("the round in progress is lost");
  expect(question.choices.map(({ label }) => label)).toEqual([
    "Keep running in the background",
    "Stop after this round and quit",
    "Stop now and quit",
    "Cancel",
  ]);
  expect(questionFor(WAITING, "").choices.map(({ choice }) => choice)).toEqual([
    "background",
    "now",
    "cancel",
  ]);
});

test.each([
  [phase("stopping-after-round"), "keep"],
  [phase("stopping-now"), "keep"],
  [phase("running"), "forget"],
  [phase("starting"), "forget"],
  [IDLE, "leave"],
  [WAITING, "leave"],
  [{ study: "b", phase: "starting", queue: [] } as Activity, "leave"],
] as const)("after the round, with %o: %s", (activity, expected) => {
  expect(afterRound("a", activity)).toBe(expected);
});

const desktop = (start: Activity, platform: NodeJS.Platform = "linux") => {
  let activity = start;
  const listeners = new Set<(activity: Activity) => void>();
  const did: string[] = [];
  const asked: Question[] = [];
  let choose: (choice: Choice) => void = () => {};
  let put = () => {};
  const leaving = createLeaving({
    platform,
    activity: () => activity,
    onActivity(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    nameOf: (study) => `study ${study}`,
    ask(question) {
      asked.push(question);
      return new Promise((resolve) => {
        choose = resolve;
      });
    },
    hideWindow: () => did.push("hide"),
    stopAfterRound: (study) => did.push(`stop ${study} after its round`),
    putAway: () => {
      did.push("put away");
      return new Promise((resolve) => {
        put = resolve;
      });
    },
    quit: () => did.push("quit"),
    problem: (error) => did.push(String(error)),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    leaving,
    did,
    asked,
    async choose(choice: Choice) {
      choose(choice);
      await turn();
    },
    async putAway() {
      put();
      await turn();
    },
    async become(next: Activity) {
      activity = next;
      for (const listener of [...listeners]) listener(next);
      await turn();
    },
    listeners,
  };
};

test("with nothing to lose, everything is put away first, then the app ends and every window may close", async () => {
  const { leaving, did, putAway } = desktop(IDLE);
  expect(leaving.wish("close-window")).toBe(false);
  expect(leaving.wish("quit")).toBe(false);
  expect(did).toEqual(["hide", "put away"]);
  await putAway();
  expect(did).toEqual(["hide", "put away", "quit"]);
  expect([leaving.wish("close-window"), leaving.wish("quit")]).toEqual([true, true]);
});

test("on a Mac an idle app stays when its window closes", () => {
  const { leaving, did } = desktop(IDLE, "darwin");
  expect(leaving.wish("close-window")).toBe(true);
  expect(did).toEqual([]);
});

test("in the background: the window is hidden, the study goes on, and is asked about again", async () => {
  const { leaving, did, asked, choose } = desktop(RUNNING);
  expect(leaving.wish("close-window")).toBe(false);
  expect(leaving.wish("close-window")).toBe(false);
  expect(asked).toHaveLength(1);
  await choose("background");
  expect(did).toEqual(["hide"]);
  expect(leaving.wish("quit")).toBe(false);
  expect(asked).toHaveLength(2);
});

test("cancelled: nothing happens", async () => {
  const { leaving, did, choose } = desktop(RUNNING);
  leaving.wish("quit");
  await choose("cancel");
  expect(did).toEqual([]);
});

test("stop now: everything is put away, then the app ends", async () => {
  const { leaving, did, choose, putAway } = desktop(RUNNING);
  leaving.wish("quit");
  await choose("now");
  await putAway();
  expect(did).toEqual(["hide", "put away", "quit"]);
});

test("stop after this round: the app waits for the round, however often it is asked, and ends then", async () => {
  const { leaving, did, choose, become, putAway } = desktop({ ...RUNNING, queue: ["b"] });
  leaving.wish("quit");
  await choose("after-round");
  await become(phase("stopping-after-round"));
  expect(did).toEqual(["stop a after its round"]);
  // The next in the queue has its turn: it is put away before it does anything.
  await become({ study: "b", phase: "starting", queue: [] });
  await putAway();
  expect(did).toEqual(["stop a after its round", "hide", "put away", "quit"]);
});

test("stop after this round, resumed meanwhile: the app stays", async () => {
  const { leaving, did, choose, become, listeners } = desktop(RUNNING);
  leaving.wish("close-window");
  await choose("after-round");
  await become(phase("stopping-after-round"));
  await become(phase("starting"));
  await become(IDLE);
  expect(did).toEqual(["stop a after its round"]);
  expect(listeners.size).toBe(0);
});

test("the study ended while the question stood: there is no round to wait for", async () => {
  const { leaving, did, choose, become } = desktop(RUNNING);
  leaving.wish("quit");
  await become(IDLE);
  await choose("after-round");
  expect(did).toEqual(["hide", "put away"]);
});

test("a computer that shuts down gets no question", async () => {
  const { leaving, did, asked } = desktop(RUNNING);
  expect(leaving.wish("shutdown")).toBe(false);
  expect([did, asked]).toEqual([["hide", "put away"], []]);
});

test("what cannot be put away holds nobody up for ever", async () => {
  vi.useFakeTimers();
  try {
    const it = desktop(IDLE);
    it.leaving.wish("quit");
    await vi.advanceTimersByTimeAsync(14_999);
    expect(it.did).toEqual(["hide", "put away"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(it.did.slice(2)).toEqual(["Error: the lab did not close within 15 s", "quit"]);
    expect([it.leaving.wish("quit"), vi.getTimerCount()]).toEqual([true, 0]);
  } finally {
    vi.useRealTimers();
  }
});
