import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FLWR_VERSIONS, pythonOf } from "./flwr.ts";

const SCRIPT = join(import.meta.dirname, "install.sh");

test("Flower is where install.sh puts it, whatever the environment says", () => {
  const installer = readFileSync(SCRIPT, "utf8");
  const [line] = /^cache=.*$/m.exec(installer)!;
  for (const environment of [
    { HOME: "/home/one" },
    { HOME: "/home/one", XDG_CACHE_HOME: "/x" },
    { HOME: "/home/one", XDG_CACHE_HOME: "/x", FEDFLEET_CACHE: "/f" },
    { HOME: "/home/one", XDG_CACHE_HOME: "", FEDFLEET_CACHE: "" },
  ]) {
    const { stdout } = spawnSync("sh", ["-c", `${line}; echo $cache`], {
      env: { ...process.env, ...environment },
      encoding: "utf8",
    });
    expect(pythonOf("1.11.1", environment)).toBe(`${stdout.trim()}/flwr-1.11.1/bin/python`);
  }
  for (const version of FLWR_VERSIONS) expect(installer).toContain(version);
});

test.each(["test/bench/fold.ts", "test/bench/wire.ts"])(
  "%s looks for Flower where the environment says",
  (bench) => {
    const { status, stderr } = spawnSync(process.execPath, [bench], {
      env: { ...process.env, FEDFLEET_CACHE: "/nowhere" },
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr).toContain("/nowhere/flwr-1.11.1/bin/python");
  },
);
