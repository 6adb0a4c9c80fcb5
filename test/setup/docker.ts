import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

/**
 * Docker Engines for tests: each has data, processes and a socket of its own, and needs neither a service of this
 * machine nor a registry. What they leave is removed by `close`, or when the process ends.
 */

/** Debian's, or Docker's own. */
export const DOCKERD = ["/usr/sbin/dockerd", "/usr/bin/dockerd"].find(existsSync) ?? "dockerd";
/** Named in full: whatever else is called docker on this machine is not asked. */
export const DOCKER = "/usr/bin/docker";
const ROOT = "/tmp/fedfleet-engines";
const PATH = `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH ?? ""}`;
const env = { ...process.env, PATH };
const run = promisify(execFile);
const IMAGES = join(import.meta.dirname, "images.sh");
const BIG = 64 * 1024 * 1024;

/** Why no engine of its own can run here; undefined where it can. */
export const canRunDockerd = (): string | undefined => {
  if (process.platform !== "linux") return "a Docker Engine needs Linux";
  if (process.getuid?.() !== 0) return "a Docker Engine needs root";
  if (!existsSync(DOCKERD)) return "dockerd is missing (package docker.io)";
  if (!existsSync(DOCKER)) return `${DOCKER} is missing (package docker.io or docker-cli)`;
  return undefined;
};

/** Why the images cannot be made here; undefined where they can. */
export const canMakeImages = (): string | undefined => {
  if (!existsSync("/usr/sbin/debootstrap")) return "debootstrap is missing (package debootstrap)";
  return canRunDockerd();
};

/** The last line: what was made is said before it. */
const made = async (what: "base" | "client"): Promise<string> => {
  const { stdout } = await run("bash", [IMAGES, what], { env, maxBuffer: BIG });
  return stdout.trim().split("\n").at(-1)!;
};

/** A `docker save` of debian:bookworm-slim: the root file system of a Debian 12. */
export const baseImageTar = (): Promise<string> => made("base");

/** A `docker save` of the client image, built from device-scripts as it is; made once, which takes a minute or two. */
export const clientImageTar = (): Promise<string> => made("client");

/** What a build needs on this machine besides the network: a proxy that inspects TLS, an index of its own. */
export const buildEnvironment = (
  environment: NodeJS.ProcessEnv = process.env,
): { readonly extraCa?: string } => {
  const extraCa = [
    environment.FEDFLEET_EXTRA_CA,
    environment.PIP_CERT,
    environment.REQUESTS_CA_BUNDLE,
    environment.SSL_CERT_FILE,
  ].find((file) => file !== undefined && file !== "" && existsSync(file));
  return extraCa === undefined ? {} : { extraCa };
};

export interface DockerdOptions {
  /** Whose group the socket belongs to (mode 0660); default: docker, where there is such a group, else root. */
  readonly group?: string;
  /** The data lie in a memory file system of this size: a disk that is soon full. */
  readonly dataBytes?: number;
  readonly args?: readonly string[];
}

export type Dockerd = Awaited<ReturnType<typeof startDockerd>>;

const answers = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: 2000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode === 200));
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended already
  }
};

/** Whatever was started with this folder in its command line (containerd and the shims of containers), and below. */
const processesOf = (folder: string): number[] => {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
        const isOurs = readFileSync(`/proc/${name}/cmdline`, "utf8").includes(`${folder}/`);
        return [{ pid: Number(name), parent, isOurs }];
      } catch {
        return []; // it has just ended
      }
    });
  const daemons = all.filter(({ pid, isOurs }) => isOurs && pid !== process.pid).map(({ pid }) => pid);
  const below = (pid: number): number[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child.pid, ...below(child.pid)]);
  const shims = daemons.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("containerd-shim");
    } catch {
      return false;
    }
  });
  return [...new Set([...shims.flatMap(below), ...daemons])];
};

const unmountBelow = (folder: string): void => {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
  for (const point of points) spawnSync("umount", ["-l", point], { env, stdio: "ignore" });
};

export const startDockerd = async (options: DockerdOptions = {}) => {
  const folder = join(ROOT, randomBytes(6).toString("hex"));
  const dataRoot = join(folder, "data");
  const socket = join(folder, "docker.sock");
  const log = join(folder, "dockerd.log");
  mkdirSync(ROOT, { recursive: true, mode: 0o755 });
  mkdirSync(folder, { mode: 0o755 });
  mkdirSync(dataRoot);
  let child: ReturnType<typeof spawn> | undefined;
  let closed = false;
  const isRunning = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null;

  const cleanUp = (): void => {
    if (closed) return;
    closed = true;
    process.off("exit", cleanUp);
    if (isRunning()) kill(child!.pid!, "SIGKILL");
    for (let turn = 0; turn < 5; turn++) {
      const left = processesOf(folder);
      if (left.length === 0) break;
      for (const pid of left) kill(pid, "SIGKILL");
      spawnSync("sleep", ["0.1"]);
    }
    unmountBelow(folder);
    rmSync(folder, { recursive: true, force: true });
  };
  process.on("exit", cleanUp);

  const groups = readFileSync("/etc/group", "utf8");
  const group = options.group ?? (/^docker:/m.test(groups) ? "docker" : "root");
  const start = async (): Promise<void> => {
    const said = openSync(log, "a");
    child = spawn(
      DOCKERD,
      [
        ...["--bridge=none", "--iptables=false", "--group", group],
        ...["--data-root", dataRoot, "--exec-root", join(folder, "exec"), "--pidfile", join(folder, "pid")],
        ...["--host", `unix://${socket}`, "--shutdown-timeout", "2"],
        ...(options.args ?? []),
      ],
      { stdio: ["ignore", said, said], env },
    );
    const failed = () => new Error(`dockerd does not start:\n${readFileSync(log, "utf8").slice(-2000)}`);
    child.on("error", () => {});
    for (let turn = 0; turn < 600; turn++) {
      if (await answers(socket)) return;
      if (!isRunning()) throw failed();
      await wait(50);
    }
    throw failed();
  };
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<void> => {
    if (!isRunning()) return;
    const ended = new Promise((resolve) => child!.once("exit", resolve));
    kill(child!.pid!, signal);
    await ended;
    // Its containerd goes with it, but looks alive for as long as nobody has collected its end.
    if (signal === "SIGKILL") rmSync(join(folder, "exec/containerd/containerd.pid"), { force: true });
  };

  /** The docker command on this engine. @returns what it printed */
  const docker = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(DOCKER, ["--host", `unix://${socket}`, ...args], {
      env: { ...env, DOCKER_BUILDKIT: "0" },
      maxBuffer: BIG,
    });
    return stdout.trim();
  };

  try {
    if (options.dataBytes !== undefined) {
      await run("mount", ["-t", "tmpfs", "-o", `size=${options.dataBytes}`, "tmpfs", dataRoot], { env });
    }
    await start();
  } catch (error) {
    cleanUp();
    throw error;
  }
  return {
    socket,
    dataRoot,
    /** A folder that anybody on this machine can enter; removed by `close`. */
    folder,
    docker,
    log: (): string => readFileSync(log, "utf8"),
    /** As debian:bookworm-slim, without a registry. */
    loadBase: async (): Promise<void> => {
      await docker("load", "--quiet", "--input", await baseImageTar());
    },
    /** @returns the tag of the client image, which is there then */
    loadClient: async (): Promise<string> => {
      const said = await docker("load", "--quiet", "--input", await clientImageTar());
      return said.replace(/^.*Loaded image: /s, "").trim();
    },
    /** As `systemctl stop docker` does; with SIGKILL as a crash does: containers live on, and the socket file stays. */
    stop,
    start,
    async restart(): Promise<void> {
      await stop();
      await start();
    },
    async close(): Promise<void> {
      if (closed) return;
      if (isRunning()) {
        const left = await docker("ps", "--all", "--quiet").catch(() => "");
        if (left !== "") await docker("rm", "--force", ...left.split("\n")).catch(() => {});
        await Promise.race([stop(), wait(10_000, undefined, { ref: false })]);
      }
      cleanUp();
    },
  };
};
