import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseProbe } from "#main/boards/probe/parse-probe.ts";
import { PROBE_SCRIPT } from "#main/boards/probe/probe-script.ts";

/** Whichever of them this computer has; `sh` is always one. */
const SHELLS = [
  ["sh"],
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
  ["ksh"],
  ["zsh", "--emulate", "sh"],
].flatMap(([shell, ...rest]) => {
  const path = spawnSync("which", [shell!], { encoding: "utf8" }).stdout.trim();
  return path === "" ? [] : [[path, ...rest]];
});

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-probe-"));
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const program = (name: string, text: string): void => {
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, "bin", name), 0o755);
};

/** Runs it as a session of this user would; what the test put into `bin` stands before everything else. */
const probe = (
  shell: readonly string[] = ["sh"],
  env: Record<string, string> = {},
  change: (script: string) => string = (script) => script,
) => {
  const script = change(PROBE_SCRIPT).replaceAll("/usr/bin/docker", join(folder, "bin/docker"));
  const ran = spawnSync(shell[0]!, [...shell.slice(1), "-s"], {
    input: script,
    encoding: "utf8",
    env: { HOME: folder, PATH: `${join(folder, "bin")}:/usr/bin:/bin:/usr/sbin:/sbin`, ...env },
  });
  const now = Date.now();
  const facts = parseProbe(ran.stdout, { at: "", sentAtMs: now, receivedAtMs: now });
  return { ...ran, facts };
};

describe.each(SHELLS.map((shell) => [shell.join(" "), shell] as const))("in %s", (_, shell) => {
  test("every question is asked and answered, and nothing else is printed", () => {
    program("docker", "exit 1");
    program("sudo", "exit 1");
    const { stdout, stderr, status } = probe(shell);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("fedfleet-probe 1");
    expect(lines.at(-1)).toBe("= end 0");
    for (const line of lines.slice(1)) expect(line).toMatch(/^(= [a-z0-9-]+ \d+$| )/);
    const asked = [...PROBE_SCRIPT.matchAll(/(?:^|\[.*\] \|\| |[;&] )(?:look|say) ([a-z0-9-]+)/gm)].map(
      ([, name]) => name,
    );
    // Asked on some boards only.
    const some = new Set(["power-mode", "ip-raw", "sudo-check", "docker-version"]);
    const answered = new Set(lines.flatMap((line) => /^= (\S+)/.exec(line)?.[1] ?? []));
    expect(asked.length).toBeGreaterThan(25);
    expect(asked.filter((name) => !answered.has(name!) && !some.has(name!))).toEqual([]);
  });

  test("the facts are this computer's", () => {
    const { facts } = probe(shell);
    const uname = (flag: string) => execFileSync("uname", [flag], { encoding: "utf8" }).trim();
    expect(facts.kernel).toBe(uname("-r"));
    expect(facts.user).toBe(userInfo().username);
    expect(facts.uid).toBe(userInfo().uid);
    expect(facts.home).toBe(folder);
    expect(facts.cores).toBe(Number(execFileSync("nproc", { encoding: "utf8" })));
    expect(facts.memoryBytes).toBeGreaterThan(100_000_000);
    expect(facts.disk.freeBytes).toBeGreaterThan(0);
    expect(Math.abs(facts.clockSkewMs)).toBeLessThan(5000);
  });
});

describe("the engine", () => {
  const listen = (path: string): Promise<void> =>
    new Promise((resolve) => {
      server = createServer((socket) => socket.end()).listen(path, resolve);
    });

  test("the program is asked at the socket that DOCKER_HOST names", async () => {
    const socket = join(folder, "d.sock");
    await listen(socket);
    program(
      "docker",
      `echo "$@" >>${folder}/asked; echo '{"ServerVersion":"27.5.1","DockerRootDir":"${folder}"}'`,
    );
    const { facts } = probe(["sh"], { DOCKER_HOST: `unix://${socket}` });
    expect(facts.docker).toMatchObject({ state: "ready", version: "27.5.1", socket, root: folder });
    expect(facts.disk.path).toBe(folder);
    const asked = execFileSync("cat", [`${folder}/asked`], { encoding: "utf8" });
    expect(asked).toContain(`-H unix://${socket} info --format {{json .}}`);
  });

  test("a rootless engine is found where the system's own cannot be used", async () => {
    const socket = join(folder, "docker.sock");
    await listen(socket);
    program("docker", 'echo "{\\"ServerVersion\\":\\"28.1.1\\"}"');
    const script = { XDG_RUNTIME_DIR: folder };
    // Where this computer has an engine of its own that this user may use, that one comes first.
    const own = spawnSync("test", ["-w", "/var/run/docker.sock"]).status === 0;
    expect(probe(["sh"], script).facts.docker.socket).toBe(own ? "/var/run/docker.sock" : socket);
  });

  test("without the program, a socket that may be written to is told, so that the engine can be asked itself", async () => {
    const socket = join(folder, "d.sock");
    await listen(socket);
    const { stdout } = probe(["sh"], { DOCKER_HOST: `unix://${socket}` }, (script) =>
      script.replace("docker=$(command -v docker)", "docker=; false"),
    );
    expect(stdout).toContain("= docker-cli 1\n");
    expect(stdout).toContain(`= sockets 0\n ${socket} rw\n`);
  });

  test("a program that hangs costs seconds, not the answer", () => {
    program("docker", "sleep 600");
    const began = Date.now();
    const { stdout, facts } = probe(["sh"], { DOCKER_HOST: `unix://${folder}/none` });
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(stdout.trimEnd().endsWith("= end 0")).toBe(true);
    expect(facts.docker.state).not.toBe("ready");
  });

  test("a program that reads its standard input does not swallow the questions that follow", () => {
    program("docker", "cat >/dev/null; echo done");
    program("sudo", "cat >/dev/null; exit 1");
    expect(probe().stdout.trimEnd().endsWith("= end 0")).toBe(true);
  });
});

test("a Raspberry Pi's and a Jetson's own programs are asked", () => {
  program("vcgencmd", '[ "$1" = get_throttled ] && echo throttled=0x50005');
  program("nvpmodel", 'echo "NVPM WARN: fan mode is not set!"; echo "NV Power Mode: MODE_10W"; echo 1');
  const { facts, stdout } = probe();
  expect(facts.throttling?.now).toEqual(["undervoltage", "throttled"]);
  expect(stdout).toContain(" NV Power Mode: MODE_10W\n");
  expect(stdout).toMatch(/^= ip-raw [01]$/m);
});
