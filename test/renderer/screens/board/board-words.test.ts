import { describe, expect, test } from "vitest";
import type { BoardSummary } from "#contract/boards.ts";
import { readTarget, targetText } from "#renderer/screens/add-board/board-target.ts";
import {
  checkCommand,
  factLines,
  firstActionOf,
  memoryText,
  problemOf,
  shortImage,
  shortModel,
  suggestedBoardName,
} from "#renderer/screens/board/board-words.ts";
import { factsOf, MODELS, PROBLEMS } from "#test/fakes/board-examples.ts";

const board = (more: Partial<BoardSummary>): BoardSummary => ({
  address: "pi@10.0.0.7:22",
  state: "online",
  since: "2026-03-01T10:00:00.000Z",
  setup: "ready",
  ...more,
});

describe("an address", () => {
  test.each([
    ["pi@10.0.0.7", { user: "pi", host: "10.0.0.7" }],
    [" pi@kitchen.local:2222 ", { user: "pi", host: "kitchen.local", port: 2222 }],
    ["kitchen", { host: "kitchen" }],
    ["ssh -p 2200 lab@jetson", { user: "lab", host: "jetson", port: 2200 }],
    ["ssh -p2200 lab@jetson", { user: "lab", host: "jetson", port: 2200 }],
    ["ssh://lab@jetson:22/", { user: "lab", host: "jetson", port: 22 }],
    ["pi@[fe80::1]:22", { user: "pi", host: "fe80::1", port: 22 }],
    ["pi@fe80::1", { user: "pi", host: "fe80::1" }],
    ["a@b@host", { user: "a@b", host: "host" }],
  ])("%s", (text, target) => {
    expect(readTarget(text)).toEqual({ ok: true, target });
    const again = readTarget(targetText(target));
    expect(again).toEqual({ ok: true, target });
  });

  test.each([
    ["", /Say where/],
    ["pi@", /no host/],
    ["@host", /no user/],
    ["pi@host:0", /port/],
    ["pi@host:70000", /port/],
    ["pi@host:ssh", /port/],
    ["pi @host", /without spaces/],
  ])("%j is none, and the sentence says why", (text, why) => {
    const read = readTarget(text);
    expect(read.ok ? "" : read.problem).toMatch(why);
  });
});

test.each([
  ["kitchen.local", [], "kitchen"],
  ["PI_Garage", [], "pi-garage"],
  ["10.0.0.7", [], "board-10-0-0-7"],
  ["fe80::1", [], "board-fe80-1"],
  ["kitchen", ["Kitchen"], "kitchen-b"],
  ["kitchen", ["kitchen", "kitchen-b"], "kitchen-c"],
  ["---", [], "board"],
])("a board at %s, with %j taken, is called %s", (host, taken, name) => {
  expect(suggestedBoardName(host, taken)).toBe(name);
  expect(suggestedBoardName(host, taken)).toMatch(/^[a-z0-9][a-z0-9-]{0,40}$/i);
});

test("a name is never too long", () => {
  expect(suggestedBoardName("x".repeat(60), ["x".repeat(36)])).toMatch(/^[a-z0-9][a-z0-9-]{0,40}$/i);
});

test("models and images are shortened to what tells them apart", () => {
  expect(MODELS.map(({ model }) => shortModel(model))).toEqual([
    "Jetson Xavier NX",
    "Raspberry Pi 4 B",
    "Raspberry Pi 5 B",
    "Jetson Orin Nano",
    "Raspberry Pi 3 B+",
  ]);
  expect(shortImage("fedfleet-client:arm64-9b20")).toBe("arm64-9b20");
  expect(shortModel("Developer Kit")).toBe("Developer Kit");
});

test("memory is said in one unit", () => {
  const at = "2026-03-01T10:00:00.000Z";
  expect(memoryText({ at, memoryUsedBytes: 1.44e9, memoryBytes: 3.9e9 })).toBe("1.4 of 3.9 GB");
  expect(memoryText({ at, memoryUsedBytes: 4e8, memoryBytes: 9.5e8 })).toBe("400 of 950 MB");
  expect(memoryText({ at })).toBeUndefined();
  expect(memoryText(undefined)).toBeUndefined();
});

test("the command shows the key of the type that was seen", () => {
  expect(checkCommand("ssh-ed25519")).toBe("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
  expect(checkCommand("ecdsa-sha2-nistp256")).toContain("ssh_host_ecdsa_key.pub");
  expect(checkCommand("rsa-sha2-512")).toContain("ssh_host_rsa_key.pub");
});

describe("what a row says and offers", () => {
  const ended = {
    client: { state: "exited", study: "s", run: "r", restarts: 0, problem: PROBLEMS.memory },
  } as const;
  test("the connection's problem comes before the client's", () => {
    expect(problemOf(board({ state: "offline", problem: PROBLEMS.unreachable, ...ended }))).toBe(
      PROBLEMS.unreachable,
    );
    expect(problemOf(board(ended))).toBe(PROBLEMS.memory);
    expect(problemOf(board({}))).toBeUndefined();
  });
  test.each<[Partial<BoardSummary>, string | undefined]>([
    [{}, undefined],
    [{ setup: "needed" }, undefined],
    [{ state: "offline" }, "Connect"],
    [{ state: "offline", problem: PROBLEMS.unreachable }, "Try again"],
    [{ state: "locked", problem: PROBLEMS.secret }, "Sign in"],
    [ended, "Lower the batch size to 25"],
    // another key is compared, never tried again
    [{ state: "locked", problem: PROBLEMS.changed }, undefined],
    [{ state: "silent" }, undefined],
  ])("case %#", (more, label) => {
    expect(firstActionOf(board(more))?.label).toBe(label);
  });
});

test("facts are told by name, with the clock and throttling in words", () => {
  const pi = factsOf(MODELS[1]!, "2026-03-01T10:00:00.000Z");
  const lines = new Map(factLines({ ...pi, clockSkewMs: -3_542_400_000 }));
  expect(lines.get("Clock")).toBe("41 days behind");
  expect(lines.get("Throttling")).toBe("none now; since it was started: too little voltage");
  expect(lines.get("Docker")).toBe("26.1.3, ready");
  const jetson = (docker: "ready" | "missing") =>
    new Map(factLines(factsOf(MODELS[0]!, pi.at, docker))).get("Docker");
  expect(jetson("ready")).toBe("26.1.3, ready, NVIDIA runtime");
  expect(jetson("missing")).toBe("not installed");
});
