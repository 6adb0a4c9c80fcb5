import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { BoardError, type SshConnection } from "#main/boards/board-ports.ts";
import { probeBoard } from "#main/boards/probe/probe-board.ts";
import { openKnownHosts } from "#main/boards/ssh/known-hosts.ts";
import { createSsh } from "#main/boards/ssh/ssh.ts";
import { createPulse } from "#main/boards/telemetry/pulse.ts";
import { canRunDockerd, type Dockerd, startDockerd } from "#test/setup/docker.ts";
import { canRunSshd, type Sshd, startSshd } from "#test/setup/sshd.ts";

const missing = canRunSshd() ?? canRunDockerd();
const PASSWORD = "correct horse";
/** May use the engine, with sudo for a password; may not, and has no sudo; has sudo for nothing. */
const USERS = [
  { password: PASSWORD, groups: ["docker"], sudo: "password" },
  { password: PASSWORD, sudo: "none" },
  { password: PASSWORD, groups: ["docker"], sudo: "free" },
] as const;

describe.skipIf(missing !== undefined && process.env.CI !== "true")(
  `a real board (${missing ?? "sshd, dockerd"})`,
  () => {
    let folder: string;
    let engine: Dockerd;
    let sshd: Sshd;
    let ssh: ReturnType<typeof createSsh>;
    const connections: SshConnection[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "fedfleet-probe-"));
      engine = await startDockerd();
      sshd = await startSshd({ users: USERS, env: { DOCKER_HOST: `unix://${engine.socket}` } });
      const none = async (): Promise<never> => {
        throw new Error("no lab key here");
      };
      ssh = createSsh({
        knownHosts: openKnownHosts(join(folder, "known_hosts")),
        labKey: { privateKey: none, exists: async () => false },
        configPath: join(folder, "config"),
      });
    });
    afterEach(() => {
      for (const connection of connections.splice(0)) connection.end();
    });
    afterAll(async () => {
      await sshd?.close();
      await engine?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const connect = async (who: number, server: Sshd = sshd): Promise<SshConnection> => {
      const connection = await ssh.connect(
        { host: server.host, port: server.port, user: server.users[who]!.name },
        { kind: "password", password: PASSWORD },
        { pinned: { type: "ssh-ed25519", fingerprint: server.fingerprint } },
      );
      connections.push(connection);
      return connection;
    };

    test("is what it is, and its engine is ready", async () => {
      const account = sshd.users[0]!;
      const facts = await probeBoard(await connect(0));
      expect(facts).toMatchObject({
        userlandBits: 64,
        user: account.name,
        uid: account.uid,
        home: account.home,
        sudo: "password",
        docker: { state: "ready", socket: engine.socket, root: engine.dataRoot, arch: facts.arch },
        recipe: { dockerfile: "Dockerfile.pi" },
      });
      expect(facts.docker.version).toMatch(/^\d+\.\d+/);
      expect(facts.disk.path).toBe(engine.dataRoot);
      expect(Math.abs(facts.clockSkewMs)).toBeLessThan(1000);
      expect(Date.now() - Date.parse(facts.at)).toBeLessThan(60_000);
    });

    test("sudo: free, for a password, for nobody", async () => {
      const found = [];
      for (const who of USERS.keys()) found.push((await probeBoard(await connect(who))).sudo);
      expect(found).toEqual(["password", "none", "free"]);
    });

    test("who may not use the engine is told so, not that there is none", async () => {
      expect((await probeBoard(await connect(1))).docker).toMatchObject({
        state: "denied",
        socket: engine.socket,
      });
    });

    test("without Docker's program, the engine itself is asked", async () => {
      const connection = await connect(0);
      const without: SshConnection = {
        ...connection,
        run: (command, options) =>
          connection.run(command, {
            ...options,
            stdin: String(options?.stdin).replace(/^docker=.*$/m, "docker=; false"),
          }),
      };
      const facts = await probeBoard(without);
      expect(facts.docker).toMatchObject({ state: "ready", root: engine.dataRoot, arch: facts.arch });
      expect(facts.docker).toEqual((await probeBoard(connection)).docker);
    });

    test("a stopped engine is stopped, and ready once it runs again", async () => {
      await engine.stop();
      expect((await probeBoard(await connect(0))).docker.state).toBe("stopped");
      await engine.start();
      expect((await probeBoard(await connect(0))).docker.state).toBe("ready");
    });

    test("what the login shell prints first does no harm", async () => {
      const { home } = sshd.users[1]!;
      const bashrc = readFileSync(join(home, ".bashrc"), "utf8");
      writeFileSync(join(home, ".bashrc"), `echo '= machine 0'; echo ' sparc'; echo Welcome >&2\n${bashrc}`);
      const facts = await probeBoard(await connect(1));
      expect(facts.user).toBe(sshd.users[1]!.name);
      expect(facts.arch).not.toBe("other");
    });

    test("an account without a shell is explained, with what it said", async () => {
      const menu = await startSshd({
        users: [{ password: PASSWORD }],
        config: ["ForceCommand echo 1 reboot, 2 quit"],
      });
      try {
        const asked = probeBoard(await connect(0, menu));
        const error = await asked.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(BoardError);
        expect((error as BoardError).problem).toMatchObject({
          code: "unsupported-board",
          raw: "1 reboot, 2 quit",
          actions: [{ do: "edit-target", label: "Change the user" }],
        });
      } finally {
        await menu.close();
      }
    });

    test("a connection that is lost meanwhile is a lost connection", async () => {
      const connection = await connect(0);
      const asked = probeBoard(connection).catch((reason: unknown) => reason);
      await after(30);
      await sshd.killSessions();
      expect(await asked).toMatchObject({ problem: { code: "connection-lost" } });
    });

    test("tells of itself every second, until nobody listens", async () => {
      const { uid, name } = sshd.users[2]!;
      const connection = await connect(2);
      const pulse = createPulse();
      const channel = await connection.open(pulse.command);
      const times: number[] = [];
      for await (const line of createInterface(channel)) {
        const point = pulse.read(line);
        expect(point?.memoryBytes).toBeGreaterThan(100_000_000);
        if (times.length === 0) expect(point?.diskFreeBytes).toBeGreaterThan(0);
        else expect(point?.cpu).toBeGreaterThanOrEqual(0);
        times.push(performance.now());
        if (times.length === 4) break;
      }
      const took = times[3]! - times[0]!;
      expect(took).toBeGreaterThan(2900);
      expect(took).toBeLessThan(5000);
      expect(processes(uid, "find_sensors")).toHaveLength(1);
      // The connection goes without a word, and the reader is not told: only its output is gone.
      for (const pid of processes(undefined, `sshd: ${name}`)) process.kill(pid, "SIGKILL");
      for (let i = 0; i < 50 && processes(uid, "find_sensors").length > 0; i += 1) await after(100);
      expect(processes(uid, "find_sensors")).toEqual([]);
    });
  },
);

/** Processes, of one user or of any, whose command line holds a text. */
const processes = (uid: number | undefined, text: string): number[] =>
  readdirSync("/proc")
    .filter((pid) => {
      try {
        return (
          /^\d+$/.test(pid) &&
          (uid === undefined || readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nUid:\t${uid}\t`)) &&
          readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text)
        );
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
