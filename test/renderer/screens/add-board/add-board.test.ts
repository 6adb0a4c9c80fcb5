import { describe, expect, test } from "vitest";
import type { BoardView, Reached } from "#contract/boards.ts";
import {
  type Adding,
  afterReach,
  announcementOf,
  stageLines,
  stageOf,
} from "#renderer/screens/add-board/add-board.ts";
import { factsOf, KEY, MODELS, OTHER_KEY, PROBLEMS } from "#test/fakes/board-examples.ts";
import { planOf } from "#test/fakes/board-plans.ts";

const target = { host: "kitchen", user: "pi" };
const reached = (more: Partial<Reached> = {}): Reached => ({
  trust: "new",
  host: "kitchen",
  port: 22,
  isJump: false,
  key: KEY,
  user: "pi",
  ways: { agent: false, keys: [], labKey: false },
  ...more,
});
const at = "2026-03-01T10:00:00.000Z";
const view = (more: Partial<BoardView> = {}): BoardView => ({
  name: "kitchen",
  address: "pi@kitchen:22",
  state: "online",
  since: at,
  setup: "needed",
  target,
  signIn: "lab-key",
  hostKey: KEY,
  addedAt: at,
  facts: factsOf(MODELS[1]!, at, "missing"),
  plan: planOf("missing"),
  history: [],
  ...more,
});
const marks = (adding: Adding, board?: BoardView) =>
  stageLines(adding, board)
    .map(({ state }) => ({ done: "✓", open: "·", running: "…", failed: "x" })[state])
    .join("");

describe("the steps of adding a board", () => {
  test("only a known key leads on without a question", () => {
    expect(afterReach(target, reached({ trust: "known" })).at).toBe("sign-in");
    expect(afterReach(target, reached()).at).toBe("host-key");
    expect(afterReach(target, reached({ trust: "changed", known: [OTHER_KEY] })).at).toBe("host-key");
  });

  test.each<[string, Adding, BoardView | undefined, string]>([
    ["nothing typed", { at: "address" }, undefined, "······"],
    ["looking", { at: "reaching", target }, undefined, "…·····"],
    ["not reached", { at: "reaching", target, problem: PROBLEMS.unreachable }, undefined, "x·····"],
    ["a new key", { at: "host-key", target, reached: reached() }, undefined, "✓·····"],
    ["another key", { at: "host-key", target, reached: reached({ trust: "changed" }) }, undefined, "✓x····"],
    ["to sign in", { at: "sign-in", target, reached: reached() }, undefined, "✓✓····"],
    ["refused", { at: "sign-in", target, reached: reached(), problem: PROBLEMS.secret }, undefined, "✓✓x···"],
    ["signing in", { at: "adding", target, reached: reached() }, undefined, "✓✓…···"],
    ["added", { at: "added", name: "kitchen" }, view(), "✓✓✓✓··"],
    [
      "being set up",
      { at: "added", name: "kitchen" },
      view({ plan: { ...planOf("missing"), running: true } }),
      "✓✓✓✓…·",
    ],
    ["ready", { at: "added", name: "kitchen" }, view({ plan: planOf("done") }), "✓✓✓✓✓✓"],
  ])("%s", (_what, adding, board, expected) => {
    expect(marks(adding, board)).toBe(expected);
  });

  test("each change is announced in a sentence, with what the lab found", () => {
    expect(announcementOf({ at: "added", name: "kitchen" }, view())).toBe(
      "Found: Raspberry Pi 4 Model B Rev 1.4 · 3.9 GB · Debian GNU/Linux 12 (bookworm). 4 steps remain.",
    );
    expect(
      announcementOf({ at: "host-key", target, reached: reached({ trust: "changed" }) }, undefined),
    ).toMatch(/Nothing was sent/);
    expect(stageOf({ at: "added", name: "kitchen" }, view({ plan: planOf("image") }))).toBe("prepare");
  });
});
