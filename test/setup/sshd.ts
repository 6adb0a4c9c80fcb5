import { execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

/**
 * Boards for tests: real OpenSSH servers on loopback, or each in a network namespace of its own whose link can be
 * cut. Accounts, keys, processes and links are made for one test and removed by `close`, or when the process ends.
 */

export interface SshdUser {
  /** Default: a random one. */
  readonly name?: string;
  /** Without one, only keys sign in. */
  readonly password?: string;
  readonly authorizedKeys?: readonly string[];
  /** "free": without a password. Default: none. */
  readonly sudo?: "free" | "password" | "none";
  /** Existing groups, besides its own. */
  readonly groups?: readonly string[];
}

export interface SshdOptions {
  /** Default: one account with a random password. */
  readonly users?: readonly SshdUser[];
  readonly namespace?: boolean;
  /** Lines that come before the defaults, and so win. */
  readonly config?: readonly string[];
  /** What each session finds in its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What existing files or folders are replaced by on this board alone; /dev/null takes a program away. */
  readonly bind?: Readonly<Record<string, string>>;
}

export interface SshdAccount {
  readonly name: string;
  readonly password: string;
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
}

const SSHD = "/usr/sbin/sshd";
const ROOT = "/tmp/fedfleet-boards";
const TOOLS = ["useradd", "userdel", "chpasswd", "usermod", "sudo", "ssh-keygen"];
/** Mounts in a namespace of its own, then becomes the server. */
const BIND =
  'n=$0; while [ "$n" -gt 0 ]; do mount --bind "$2" "$1" || exit 1; shift 2; n=$((n - 2)); done; exec "$@"';
const run = promisify(execFile);
const PATH = `/usr/sbin:/usr/bin:/sbin:/bin:${process.env.PATH ?? ""}`;
const env = { ...process.env, PATH };

const hasTool = (name: string): boolean => PATH.split(":").some((folder) => existsSync(join(folder, name)));

/** Why no sshd with accounts of its own can run here; undefined where it can. */
export const canRunSshd = (options: { readonly namespace?: boolean } = {}): string | undefined => {
  if (process.platform !== "linux") return "sshd with test accounts needs Linux";
  if (process.getuid?.() !== 0) return "sshd with test accounts needs root";
  if (!existsSync(SSHD)) return `${SSHD} is missing (package openssh-server)`;
  const missing = TOOLS.find((tool) => !hasTool(tool));
  if (missing !== undefined) return `${missing} is missing`;
  if (options.namespace !== true) return undefined;
  for (const tool of ["ip", "nsenter"]) if (!hasTool(tool)) return `${tool} is missing`;
  const name = `ffb-try-${randomBytes(4).toString("hex")}`;
  const added = spawnSync("ip", ["netns", "add", name], { env, encoding: "utf8" });
  if (added.status !== 0) return `network namespaces cannot be made: ${added.stderr.trim()}`;
  spawnSync("ip", ["netns", "del", name], { env });
  return undefined;
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Every process: its parent and its user. */
const processes = (): { pid: number; parent: number; uid: number }[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, "utf8");
        const number = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
        return [{ pid: Number(name), parent: number("PPid"), uid: number("Uid") }];
      } catch {
        return []; // it has just ended
      }
    });

const descendants = (root: number): number[] => {
  const all = processes();
  const below = (pid: number): number[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(root);
};

const kill = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended already
  }
};

/** The account database is locked while another test changes it. */
const account = async (tool: string, args: readonly string[]): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    try {
      await run(tool, args, { env });
      return;
    } catch (error) {
      if (attempt === 20) throw error;
      await wait(100 + randomInt(200));
    }
  }
};

const freeUid = (): number => {
  const taken = new Set(
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => Number(line.split(":")[2])),
  );
  for (;;) {
    // Far from the range that distributions and images use, so that `close` may end whatever runs as this user.
    const uid = randomInt(40_000, 59_000);
    if (!taken.has(uid)) return uid;
  }
};

const createAccount = async (
  wanted: SshdUser,
  folder: string,
  undo: (() => void)[],
): Promise<SshdAccount> => {
  const name = wanted.name ?? `ffb-${randomBytes(5).toString("hex")}`;
  const home = join(folder, "home", name);
  mkdirSync(join(folder, "home"), { recursive: true, mode: 0o755 });
  const uid = freeUid();
  undo.push(() => {
    for (const { pid } of processes().filter((one) => one.uid === uid)) kill(pid, "SIGKILL");
    for (let attempt = 0; attempt < 20; attempt++) {
      const { status } = spawnSync("userdel", ["-f", name], { env, stdio: "ignore" });
      if (status === 0 || status === 6) break; // 6: there is none
      spawnSync("sleep", ["0.2"]);
    }
    for (const left of [`/run/sudo/ts/${name}`, `/var/lib/sudo/lectured/${name}`]) {
      rmSync(left, { recursive: true, force: true });
    }
  });
  const groups = wanted.groups ?? [];
  await account("useradd", [
    "-m",
    ...["-u", `${uid}`, "-U", "-d", home, "-s", "/bin/bash", "-p", "*"],
    ...(groups.length === 0 ? [] : ["-G", groups.join(",")]),
    name,
  ]);
  chmodSync(home, 0o755);
  if (wanted.password !== undefined) {
    const changed = spawnSync("chpasswd", { env, input: `${name}:${wanted.password}\n`, encoding: "utf8" });
    if (changed.status !== 0) throw new Error(`chpasswd: ${changed.stderr}`);
  }
  const gid = Number(
    readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith(`${name}:`))!
      .split(":")[3],
  );
  if (wanted.authorizedKeys !== undefined) {
    const ssh = join(home, ".ssh");
    mkdirSync(ssh, { mode: 0o700 });
    const file = join(ssh, "authorized_keys");
    writeFileSync(file, wanted.authorizedKeys.map((line) => `${line.trim()}\n`).join(""), { mode: 0o600 });
    chownSync(ssh, uid, gid);
    chownSync(file, uid, gid);
  }
  if (wanted.sudo === "free" || wanted.sudo === "password") {
    const file = `/etc/sudoers.d/${name}`;
    undo.push(() => rmSync(file, { force: true }));
    writeFileSync(file, `${name} ALL=(ALL:ALL) ${wanted.sudo === "free" ? "NOPASSWD: " : ""}ALL\n`, {
      mode: 0o440,
    });
  }
  return { name, password: wanted.password ?? "", home, uid, gid };
};

/** A namespace with one link to here: we are .1, the board is .2. */
const createNamespace = async (undo: (() => void)[]) => {
  const id = randomBytes(4).toString("hex");
  const name = `ffb-${id}`;
  const [ours, theirs] = [`ffa${id}`, `ffb${id}`];
  const ip = (...args: string[]) => run("ip", args, { env });
  const taken = (await ip("-o", "-4", "addr")).stdout;
  let net: string;
  do net = `10.${randomInt(200, 255)}.${randomInt(256)}`;
  while (taken.includes(` ${net}.`));
  undo.push(() => {
    spawnSync("ip", ["link", "del", ours], { env, stdio: "ignore" });
    spawnSync("ip", ["netns", "del", name], { env, stdio: "ignore" });
  });
  await ip("netns", "add", name);
  await ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name);
  await ip("addr", "add", `${net}.1/30`, "dev", ours);
  await ip("link", "set", ours, "up");
  const inside = (...args: string[]) => ip("-n", name, ...args);
  await inside("addr", "add", `${net}.2/30`, "dev", theirs);
  await inside("link", "set", "lo", "up");
  await inside("link", "set", theirs, "up");
  return { name, host: `${net}.2`, set: (how: "up" | "down") => inside("link", "set", theirs, how) };
};

export type Sshd = Awaited<ReturnType<typeof startSshd>>;

export const startSshd = async (options: SshdOptions = {}) => {
  const folder = join(ROOT, randomBytes(6).toString("hex"));
  mkdirSync(ROOT, { recursive: true, mode: 0o755 });
  mkdirSync(folder, { mode: 0o755 });
  chmodSync(folder, 0o755);
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  /** Last thing first. */
  const undo: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  let closed = false;
  const cleanUp = (): void => {
    if (closed) return;
    closed = true;
    for (const step of undo.reverse()) {
      try {
        step();
      } catch (error) {
        console.error(`sshd of a test: ${error}`);
      }
    }
    process.off("exit", cleanUp);
  };
  process.on("exit", cleanUp);
  try {
    const users: SshdAccount[] = [];
    for (const wanted of options.users ?? [{ password: randomBytes(9).toString("base64url") }]) {
      users.push(await createAccount(wanted, folder, undo));
    }
    const namespace = options.namespace === true ? await createNamespace(undo) : undefined;
    const host = namespace?.host ?? "127.0.0.1";
    let port = namespace === undefined ? await freePort() : 22;
    let hostKeyFile = join(folder, "host-key-0");
    const config = join(folder, "sshd_config");
    const log = join(folder, "sshd.log");
    const version = spawnSync(SSHD, ["-V"], { encoding: "utf8" }).stderr;
    const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(version) ?? [];
    const punishes = Number(major) * 100 + Number(minor) >= 908;
    const variables = Object.entries(options.env ?? {}).map(([name, value]) => `"${name}=${value}"`);
    const added = [...(options.config ?? [])];
    const writeConfig = () =>
      writeFileSync(
        config,
        [
          ...added,
          `ListenAddress ${host}`,
          `Port ${port}`,
          `HostKey ${hostKeyFile}`,
          `PidFile ${join(folder, "sshd.pid")}`,
          `AllowUsers ${users.map(({ name }) => name).join(" ")}`,
          ...(variables.length === 0 ? [] : [`SetEnv ${variables.join(" ")}`]),
          "UsePAM yes",
          "PasswordAuthentication yes",
          "KbdInteractiveAuthentication yes",
          "AuthorizedKeysFile .ssh/authorized_keys",
          "PrintMotd no",
          "UseDNS no",
          "MaxStartups 200",
          "LogLevel VERBOSE",
          ...(punishes ? ["PerSourcePenalties no"] : []),
          "Subsystem sftp internal-sftp",
          "",
        ].join("\n"),
      );
    const fingerprintOf = (): string => {
      const { stdout } = spawnSync("ssh-keygen", ["-lf", `${hostKeyFile}.pub`], { env, encoding: "utf8" });
      return stdout.split(" ")[1]!;
    };
    const makeKey = (type: string) =>
      run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", hostKeyFile], { env });
    await makeKey("ed25519");
    let fingerprint = fingerprintOf();
    let master: ReturnType<typeof spawn> | undefined;
    const answers = (): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connect({ host, port });
        const done = (yes: boolean) => {
          socket.destroy();
          resolve(yes);
        };
        socket.once("data", () => done(true)).once("error", () => done(false));
        socket.setTimeout(1000, () => done(false));
      });
    const begin = async (): Promise<void> => {
      for (let attempt = 1; ; attempt++) {
        writeConfig();
        const said = openSync(log, "a");
        const server = [SSHD, "-D", "-e", "-f", config];
        const binds = Object.entries(options.bind ?? {}).flat();
        const command =
          binds.length === 0
            ? server
            : ["unshare", "--mount", "sh", "-c", BIND, `${binds.length}`, ...binds, ...server];
        const all =
          namespace === undefined ? command : ["nsenter", `--net=/run/netns/${namespace.name}`, ...command];
        const child = spawn(all[0]!, all.slice(1), { stdio: ["ignore", said, said], env });
        master = child;
        for (let turn = 0; turn < 100 && child.exitCode === null; turn++) {
          if (await answers()) return;
          await wait(30);
        }
        kill(child.pid!, "SIGKILL");
        if (attempt === 3) throw new Error(`sshd does not start:\n${readFileSync(log, "utf8")}`);
        if (namespace === undefined) port = await freePort();
      }
    };
    const sessions = (): number[] => (master?.pid === undefined ? [] : descendants(master.pid));
    /** Sessions of servers that were replaced by `restart`: they have no parent any more. */
    const orphans = new Set<number>();
    const stop = async (): Promise<void> => {
      const child = master;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      for (const pid of sessions()) orphans.add(pid);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      kill(child.pid!, "SIGTERM");
      await ended;
    };
    const killAll = (): void => {
      for (const pid of [...sessions(), ...[...orphans].flatMap((old) => [...descendants(old), old])]) {
        kill(pid, "SIGKILL");
      }
      orphans.clear();
    };
    undo.push(() => {
      killAll();
      if (master?.pid !== undefined && master.exitCode === null) kill(master.pid, "SIGKILL");
    });
    await begin();
    return {
      host,
      get port() {
        return port;
      },
      get hostKeyFile() {
        return hostKeyFile;
      },
      /** "SHA256:…" of the host key. */
      get fingerprint() {
        return fingerprint;
      },
      users,
      /** A folder for whatever a test needs beside; removed by `close`. */
      folder,
      namespace: namespace?.name,
      /** What the server has logged: each attempt to sign in is there. */
      log: (): string => readFileSync(log, "utf8"),
      /** As `systemctl restart ssh` does: who is signed in stays so. Lines of configuration may be added. */
      async restart(lines: readonly string[] = []): Promise<void> {
        await stop();
        added.unshift(...lines);
        await begin();
      },
      /** As if the board had been set up anew. */
      async replaceHostKey(type: "ed25519" | "ecdsa" | "rsa" = "ed25519"): Promise<void> {
        await stop();
        hostKeyFile = join(folder, `host-key-${randomBytes(4).toString("hex")}`);
        await makeKey(type);
        fingerprint = fingerprintOf();
        await begin();
      },
      /** kill -9 of whatever serves those who are signed in. */
      killSessions: async (): Promise<void> => killAll(),
      /** The board's link goes down; needs `namespace`. */
      async cut(): Promise<void> {
        if (namespace === undefined) throw new Error("only a board in a namespace has a link to cut");
        await namespace.set("down");
      },
      async heal(): Promise<void> {
        if (namespace === undefined) throw new Error("only a board in a namespace has a link to heal");
        await namespace.set("up");
      },
      /** Another line in an account's authorized_keys. */
      authorize(user: string, line: string): void {
        const owner = users.find(({ name }) => name === user)!;
        const ssh = join(owner.home, ".ssh");
        if (!existsSync(ssh)) mkdirSync(ssh, { mode: 0o700 });
        const file = join(ssh, "authorized_keys");
        appendFileSync(file, `${line.trim()}\n`, { mode: 0o600 });
        for (const path of [ssh, file]) chownSync(path, owner.uid, owner.gid);
      },
      close: async (): Promise<void> => cleanUp(),
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
};
