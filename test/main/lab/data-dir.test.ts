import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataDirOf } from "#main/lab/data-dir.ts";

const OWN = join(homedir(), ".local", "share", "fedfleet", "lab");

test.each([
  ["/a/named one", { FEDFLEET_DATA_DIR: "/b" }, "/a/named one"],
  ["labs/mine", {}, join(process.cwd(), "labs", "mine")],
  [undefined, { FEDFLEET_DATA_DIR: "./mine", XDG_DATA_HOME: "/x" }, join(process.cwd(), "mine")],
  [undefined, { XDG_DATA_HOME: "/x" }, "/x/fedfleet/lab"],
  [undefined, {}, OWN],
  [undefined, { FEDFLEET_DATA_DIR: "", XDG_DATA_HOME: "" }, OWN],
])("of %j with %j: %s", (given, env, expected) => {
  expect(dataDirOf(given, env)).toBe(expected);
});
