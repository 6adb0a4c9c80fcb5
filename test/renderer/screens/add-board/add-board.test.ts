import { describe, expect, test } from "vitest";
import type { BoardView, Reached } from "#contract/boards.ts";
import {
  type Adding,
  afterReach,
  announcementOf,
  stageLines,
  stageOf,
} from "#renderer/screens/add-board/add-board.ts";
import { lackingConsent, setUpSentence, wantsSudo } from "#renderer/screens/board/set-up-form.ts";
import {
  freshSignIn,
  leavesASecret,
  signInErrors,
  signInOf,
  withKind,
} from "#renderer/screens/board/sign-in-form.ts";
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
  test("only a known key leads on by itself", () => {
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

  test("what changed is said in a sentence, with what was found", () => {
    expect(announcementOf({ at: "added", name: "kitchen" }, view())).toBe(
      "Found: Raspberry Pi 4 Model B Rev 1.4 · 3.9 GB · Debian GNU/Linux 12 (bookworm). 4 steps are to be done.",
    );
    expect(
      announcementOf({ at: "host-key", target, reached: reached({ trust: "changed" }) }, undefined),
    ).toMatch(/Nothing was sent/);
    expect(stageOf({ at: "added", name: "kitchen" }, view({ plan: planOf("image") }))).toBe("prepare");
  });
});

describe("signing in", () => {
  test("a fresh board has a password; an entry of ~/.ssh/config comes from somebody with a key", () => {
    const ways = { agent: true, keys: ["~/.ssh/id_ed25519"], labKey: false };
    expect(freshSignIn(ways, false)).toMatchObject({ kind: "password", installKey: true });
    expect(freshSignIn(ways, true)).toMatchObject({
      kind: "key",
      keyPath: "~/.ssh/id_ed25519",
      installKey: false,
    });
    expect(freshSignIn({ ...ways, keys: [] }, true).kind).toBe("agent");
  });
  test("what is lacking is told by field, and nothing that is not asked for is sent", () => {
    const fresh = freshSignIn({ agent: false, keys: [], labKey: false }, false);
    expect(signInErrors(fresh)).toHaveProperty("password");
    const key = withKind({ ...fresh, password: "secret" }, "key");
    expect(signInErrors(key)).toHaveProperty("keyPath");
    expect(signInOf({ ...key, keyPath: " ~/.ssh/id " })).toEqual({ kind: "key", path: "~/.ssh/id" });
    expect(signInOf(withKind({ ...fresh, password: "secret" }, "agent"))).toEqual({ kind: "agent" });
  });
  test("who would be asked again after a restart is known beforehand", () => {
    const fresh = freshSignIn({ agent: true, keys: [], labKey: false }, false);
    expect(leavesASecret(fresh)).toBe(true);
    expect(leavesASecret(withKind(fresh, "agent"))).toBe(false);
    expect(leavesASecret({ ...withKind(fresh, "agent"), installKey: true })).toBe(true);
    expect(leavesASecret({ ...withKind(fresh, "key"), keyPath: "k" })).toBe(false);
  });
});

describe("setting up", () => {
  test("what would run without consent is named; done steps ask for none", () => {
    const plan = planOf("missing");
    expect(lackingConsent(plan, new Set()).map(({ id }) => id)).toEqual(["docker-install", "docker-group"]);
    expect(lackingConsent(plan, new Set(["docker-install", "docker-group"]))).toEqual([]);
    expect(lackingConsent(planOf("done"), new Set())).toEqual([]);
  });
  test("sudo's password is asked for where a step needs it and it would help", () => {
    const facts = view().facts!;
    expect(wantsSudo({ facts }, planOf("missing"))).toBe(true);
    expect(wantsSudo({ facts: { ...facts, sudo: "free" } }, planOf("missing"))).toBe(false);
    expect(wantsSudo({ facts: { ...facts, sudo: "none" } }, planOf("missing"))).toBe(false);
    expect(wantsSudo({ facts }, planOf("image"))).toBe(false);
  });
  test("how far it is, in a sentence", () => {
    expect(setUpSentence(planOf("missing"))).toBe("4 steps are to be done.");
    expect(setUpSentence(planOf("done"))).toBe("The board is ready.");
  });
});
