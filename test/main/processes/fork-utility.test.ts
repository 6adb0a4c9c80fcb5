import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Child } from "#contract/child.ts";
import { createForkUtility } from "#main/processes/fork-utility.ts";
import { FakeUtilityProcess } from "#test/fakes/electron.ts";

const ENTRY = new URL("file:///app/out/main/device-worker.js");

const forked = (platform: NodeJS.Platform = "linux") => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const process = new FakeUtilityProcess(stdout, stderr);
  const calls: unknown[][] = [];
  const fork = createForkUtility(
    {
      fork: (...call: unknown[]) => {
        calls.push(call);
        return process;
      },
    } as unknown as Parameters<typeof createForkUtility>[0],
    platform,
  );
  const child = fork(ENTRY, { name: "fedfleet devices", env: { FEDFLEET_ENGINE: "wasm" } });
  const heard: unknown[] = [];
  child.onMessage((message) => heard.push(message));
  child.onOutput((text) => heard.push(text));
  child.onError((error) => heard.push(error.message));
  child.onExit((code, signal) => heard.push([code, signal]));
  const started = (pid?: number) => {
    process.pid = pid;
    process.emit("spawn");
  };
  const exits = async (status: number) => {
    process.emit("exit", status);
    stdout.end();
    stderr.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  return { child, process, stdout, stderr, calls, heard, started, exits };
};

test("a child gets its own root, its name, this environment and more; its words come as text", async () => {
  const { child, process: utility, stderr, calls, heard, started } = forked();
  const [path, argv, options] = calls[0] as [string, string[], { env: NodeJS.ProcessEnv }];
  expect([path, argv]).toEqual(["/app/out/main/device-worker.js", []]);
  expect(options).toMatchObject({ serviceName: "fedfleet devices", stdio: ["ignore", "pipe", "pipe"] });
  expect(options.env).toMatchObject({ FEDFLEET_ENGINE: "wasm", PATH: process.env.PATH });
  expect(child.pid).toBeUndefined();
  started(42);
  expect(child.pid).toBe(42);
  child.send({ kind: "host" });
  expect(utility.posted).toEqual([{ kind: "host" }]);
  utility.emit("message", { kind: "hosting" });
  stderr.write("Error: no luck\n");
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual([{ kind: "hosting" }, "Error: no luck\n"]);
});

test.each([
  [0, "linux", [0, null]],
  [1, "linux", [1, null]],
  [77, "linux", [77, null]],
  [9, "linux", [null, "SIGKILL"]],
  [139, "linux", [null, "SIGSEGV"]],
  [6, "darwin", [null, "SIGABRT"]],
  [132, "linux", [null, "SIGILL"]],
  [9, "win32", [9, null]],
  [-1073741819, "win32", [-1073741819, null]],
] as const)("a status of %i on %s is %o", async (status, platform, end) => {
  const { child, heard, started, exits } = forked(platform);
  started(42);
  expect(child.ended).toBe(false);
  await exits(status);
  expect([child.ended, heard]).toEqual([true, [end]]);
});

test("the last words come before the end; after it nothing is heard and nothing sent", async () => {
  const { child, process: utility, stdout, heard, started, exits } = forked();
  started(42);
  utility.emit("error", "FatalError", "Reached heap limit", "{}");
  stdout.write("goodbye");
  await exits(134);
  utility.emit("message", "too late");
  child.send("too late");
  expect(heard).toEqual(["FatalError: Reached heap limit\n", "goodbye", [null, "SIGABRT"]]);
  expect(utility.posted).toEqual([]);
});

test("output that never ends holds up the end for a quarter of a second", async () => {
  const { process: utility, heard, started } = forked();
  started(42);
  utility.emit("exit", 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(heard).toEqual([[0, null]]);
});

test("one that never started has failed, and has no end", async () => {
  const { heard, exits } = forked();
  await exits(1);
  expect(heard).toEqual(["Electron could not start /app/out/main/device-worker.js (1)"]);
});

test("killing is at once, not a request", async () => {
  const real = spawn(process.execPath, [
    "-e",
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)",
  ]);
  const ended = new Promise((resolve) => real.on("exit", (_code, signal) => resolve(signal)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const { child, process: utility, started } = forked();
  started(real.pid);
  (child as Child).kill();
  expect(await ended).toBe("SIGKILL");
  expect(utility.killed).toBe(true);
  (child as Child).kill();
});
