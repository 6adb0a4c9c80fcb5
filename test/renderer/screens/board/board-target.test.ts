import { describe, expect, test } from "vitest";
import { readTarget, targetText } from "#renderer/screens/board/board-target.ts";

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
    ["", /Enter the board's address/],
    ["pi@", /host name .* missing/],
    ["@host", /user name .* missing/],
    ["pi@host:0", /port/],
    ["pi@host:70000", /port/],
    ["pi@host:ssh", /port/],
    ["pi @host", /without spaces/],
  ])("%j is none, and the sentence says why", (text, why) => {
    const read = readTarget(text);
    expect(read.ok ? "" : read.problem).toMatch(why);
  });
});
