import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BoardFacts } from "#contract/boards.ts";
import { installCommands } from "#main/boards/provision/docker-steps.ts";
import { writeScripts } from "#test/main/boards/docker/docker-lab.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { DOCKER, DOCKERD } from "#test/setup/docker.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createProvisionLab, states, stepOf, TRIAL } from "./provision-lab.ts";

const NO_BOARDS = canMakeBoards();

/**
 * A board without Docker, on a real SSH server with a real sudo: what is on this machine is hidden from it. Its
 * package manager, its service manager and NVIDIA's tool are stand-ins that do what those do.
 */
describe.skipIf(skip(NO_BOARDS))(named("a board as it comes out of the box", NO_BOARDS), () => {
  const scripts = writeScripts(TRIAL);
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-fresh-"));
  const [programs, settings, state] = ["bin", "etc-docker", "state"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const at = (name: string): string => join(state, name);
  const program = (name: string, script: string): void => {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const CTK =
    '\'#!/bin/sh\\necho "{\\\\"runtimes\\\\":{\\\\"nvidia\\\\":{}}}" > /etc/docker/daemon.json\\n\'';
  /** A Jetson, as far as its engine is set up for the GPU. */
  const jetson = (facts: BoardFacts): BoardFacts => ({
    ...facts,
    family: "jetson",
    recipe: { ...facts.recipe!, gpu: true },
    docker: {
      ...facts.docker,
      nvidiaRuntime: readFileSync(join(settings, "daemon.json"), "utf8").includes("nvidia"),
    },
  });
  const make = () =>
    createProvisionLab(
      {
        fresh: { scripts: scripts.folder, sudo: "password" },
        jetson: { scripts: scripts.folder, sudo: "password", groups: ["docker"], see: jetson },
      },
      {
        bind: {
          [DOCKERD]: "/dev/null",
          [DOCKER]: "/dev/null",
          "/usr/local/bin": programs,
          "/etc/docker": settings,
        },
      },
    );
  let lab: Awaited<ReturnType<typeof make>>;
  let services: Promise<void>;
  const over = new AbortController();

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    for (const path of [programs, settings, state]) mkdirSync(path);
    writeFileSync(join(settings, "daemon.json"), '{"log-level":"warn"}\n');
    program(
      "apt-get",
      `echo "$*" >> ${at("apt")}
case "$*" in
  *" install "*)
    if [ -e ${at("busy")} ]; then echo "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (apt-get)" >&2; exit 100; fi
    if [ -e ${at("offline")} ]; then echo "E: Failed to fetch http://deb.debian.org/docker.io.deb  Temporary failure resolving 'deb.debian.org'" >&2; exit 100; fi
    if [ -e ${at("full")} ]; then echo "E: You don't have enough free space in /var/cache/apt/archives/." >&2; exit 100; fi ;;
esac
case "$*" in
  *" install "*docker.io*) umount ${DOCKERD} ${DOCKER}; echo "Setting up docker.io ..." ;;
  *" remove "*docker.io*) for f in ${DOCKERD} ${DOCKER}; do mount --bind /dev/null $f; done ;;
  *" install "*nvidia-container-toolkit*) printf ${CTK} > /usr/local/bin/nvidia-ctk; chmod 755 /usr/local/bin/nvidia-ctk ;;
esac`,
    );
    program(
      "systemctl",
      `echo "$*" >> ${at("systemctl")}
if [ -e ${at("sick")} ]; then echo "Job for docker.service failed because the control process exited with error code." >&2; exit 1; fi
case $1 in enable) want=start;; disable) want=stop;; *) exit 0;; esac
touch ${state}/$want; for i in $(seq 100); do [ -e ${state}/$want ] || exit 0; sleep 0.1; done; exit 1`,
    );
    lab = await make();
    await lab.dockerd.loadBase();
    await lab.dockerd.stop();
    services = (async () => {
      while (!over.signal.aborted) {
        for (const want of ["start", "stop"] as const) {
          if (!existsSync(at(want))) continue;
          await lab.dockerd[want]();
          rmSync(at(want));
        }
        await wait(30);
      }
    })();
  }, 60_000);
  afterEach(() => {
    for (const trouble of ["busy", "offline", "full", "sick"]) rmSync(at(trouble), { force: true });
  });
  afterAll(async () => {
    over.abort();
    await services;
    await lab?.close();
    scripts.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const said = (name: string): string => (existsSync(at(name)) ? readFileSync(at(name), "utf8") : "");
  const now = () => ({ sudoPassword: lab.password, agreed: ["docker-install", "docker-group"] as const });

  test("nothing is installed without a word", async () => {
    const board = await lab.boardOf("fresh");
    const plan = await board.look();
    expect(states(plan)).toMatchObject({
      "docker-install": "open",
      "docker-start": "blocked",
      "docker-group": "blocked",
      image: "blocked",
      "self-test": "blocked",
    });
    expect(stepOf(plan, "docker-install").commands.join("\n")).toMatch(/apt-get .* install .*docker\.io/);
    const after = await board.run({ sudoPassword: lab.password });
    expect(stepOf(after, "docker-install")).toMatchObject({
      state: "failed",
      problem: { code: "cancelled" },
    });
    const blocked = await board.run({ ...now(), steps: ["docker-start"] });
    expect(stepOf(blocked, "docker-start").problem).toMatchObject({
      next: expect.stringMatching(/earlier steps/),
    });
    expect(said("apt")).toBe("");
  });

  test.each([
    ["busy", "busy", /boards often update themselves for some minutes after they start/],
    ["offline", "no-internet", /could not reach its sources/],
    ["full", "disk-full", /don't have enough free space/],
  ])("a package manager that is %s: %s", async (trouble, code, cause) => {
    writeFileSync(at(trouble), "");
    const board = await lab.boardOf("fresh");
    const plan = await board.run(now());
    expect(stepOf(plan, "docker-install")).toMatchObject({
      state: "failed",
      problem: { code, cause: expect.stringMatching(cause) },
    });
    expect(states(await board.look())).toMatchObject({ "docker-install": "open", "docker-start": "blocked" });
    expect(existsSync(join(board.account.home, ".fedfleet", "done", "docker-install"))).toBe(false);
  });

  test("an engine that does not start is named; the next attempt goes on from there to the end", async () => {
    writeFileSync(at("sick"), "");
    const board = await lab.boardOf("fresh");
    const plan = await board.run(now());
    expect(states(plan)).toMatchObject({
      "docker-install": "done",
      "docker-start": "failed",
      "docker-group": "blocked",
    });
    expect(stepOf(plan, "docker-start").problem).toMatchObject({
      title: "The Docker Engine does not start",
      cause: expect.stringContaining("Job for docker.service failed"),
    });

    rmSync(at("sick"));
    const installs = said("apt");
    const done = await board.run(now());
    expect(done.steps.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(done.ready).toBe(true);
    expect(said("apt")).toBe(installs);
    expect(said("systemctl").trim().split("\n").at(-1)).toBe("enable --now docker.socket docker.service");
    expect(board.signIns()).toBe(2);
    expect(await board.run(now())).toMatchObject({ ready: true });
    expect(board.told).toEqual([]);
  });

  test("all of it is taken back, step by step", async () => {
    const board = await lab.boardOf("fresh");
    const plan = await board.look();
    expect(plan.steps.filter(({ canUndo }) => canUndo).map(({ id }) => id)).toEqual([
      "docker-install",
      "docker-start",
      "docker-group",
      "image",
    ]);
    for (const [step, expected] of [
      ["image", { image: "open" }],
      ["docker-group", { "docker-group": "open" }],
      ["docker-start", { "docker-start": "open" }],
      ["docker-install", { "docker-install": "open", "docker-start": "blocked" }],
    ] as const) {
      const after = await board.undo(step, now());
      expect(after.steps.filter(({ problem }) => problem !== undefined)).toEqual([]);
      expect(states(after)).toMatchObject(expected);
    }
    expect(said("apt")).toMatch(/ remove -y docker\.io$/m);
  });

  test("a Jetson's engine learns of the GPU, and has its own configuration back afterwards", async () => {
    await lab.dockerd.start();
    const own = readFileSync(join(settings, "daemon.json"), "utf8");
    // Its system came with Docker.
    const { board: fresh } = await lab.boardOf("fresh");
    const connection = await fresh.connection();
    await connection.run(`sudo -S umount ${DOCKERD} ${DOCKER}`, { stdin: `${lab.password}\n` });
    const board = await lab.boardOf("jetson");
    const open = stepOf(await board.look(), "nvidia-runtime");
    expect(open).toMatchObject({
      state: "open",
      consent: expect.stringMatching(/running containers stop/),
    });
    const how = { sudoPassword: lab.password, steps: ["nvidia-runtime"] } as const;
    expect(stepOf(await board.run(how), "nvidia-runtime").problem?.code).toBe("cancelled");
    expect(readFileSync(join(settings, "daemon.json"), "utf8")).toBe(own);

    const agreed = { ...how, agreed: ["nvidia-runtime"] } as const;
    writeFileSync(at("offline"), "");
    expect(stepOf(await board.run(agreed), "nvidia-runtime").problem?.code).toBe("no-internet");
    rmSync(at("offline"));
    const done = stepOf(await board.run(agreed), "nvidia-runtime");
    expect(done).toMatchObject({ state: "done", canUndo: true });
    expect(done.output).toContain("$ nvidia-ctk runtime configure --runtime=docker");
    expect(said("systemctl").trim().split("\n").at(-1)).toBe("restart docker");

    const undone = stepOf(await board.undo("nvidia-runtime", how), "nvidia-runtime");
    expect(undone.state).toBe("open");
    expect(readFileSync(join(settings, "daemon.json"), "utf8")).toBe(own);
  });
});

test.each([
  ["raspbian", "raspberry-pi", /apt-get .*install .* docker\.io iptables$/],
  ["ubuntu", "jetson", /docker\.io nvidia-container-toolkit iptables$/],
  ["fedora", "other", /^dnf install -y moby-engine$/],
  ["alpine", "other", /rc-service docker start$/],
  ["arch", "other", /^pacman -Sy --noconfirm docker$/],
] as const)("Docker on %s comes from its own package manager", (id, family, last) => {
  expect(installCommands({ os: { id, name: id, version: "1" }, family })?.at(-1)).toMatch(last);
});

test("a system whose package manager nobody knows gets no guess", () => {
  expect(
    installCommands({ os: { id: "plan9", name: "Plan 9", version: "4" }, family: "other" }),
  ).toBeUndefined();
});
