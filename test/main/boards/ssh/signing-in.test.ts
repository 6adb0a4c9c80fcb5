import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SignIn } from "#contract/boards.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { attempts, createSshLab, NO_SSHD, named, problemOf, skip, targetOf } from "./ssh-lab.ts";

const PASSWORD = "canary-0cYp4-password";
const PASSPHRASE = "canary-7Hq2-passphrase";

describe.skipIf(skip(NO_SSHD))(named("signing in, on a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  let agent: ChildProcess | undefined;
  const key = (name: string): string => join(lab.folder, name);
  const makeKey = (name: string, passphrase: string, type = "ed25519"): string => {
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", key(name), "-C", name]);
    sshd.authorize(sshd.users[0]!.name, readFileSync(`${key(name)}.pub`, "utf8"));
    return key(name);
  };
  beforeAll(async () => {
    sshd = await startSshd({ users: [{ password: PASSWORD }] });
    lab = createSshLab({ agentSocket: join(sshd.folder, "agent") });
    await lab.trust(targetOf(sshd));
  });
  afterAll(async () => {
    agent?.kill();
    lab?.close();
    await sshd?.close();
  });
  const enter = async (signIn: SignIn): Promise<string> => {
    const connection = await lab.ssh.connect(targetOf(sshd), signIn);
    const { stdout } = await connection.run("id -un");
    connection.end();
    await connection.closed;
    return stdout.trim();
  };
  const refused = (signIn: SignIn) => problemOf(lab.ssh.connect(targetOf(sshd), signIn));

  test("with a password", async () => {
    expect(await enter({ kind: "password", password: PASSWORD })).toBe(sshd.users[0]!.name);
  });

  test("with a password where the server takes no keyboard-interactive", async () => {
    const plain = await startSshd({
      users: [{ password: PASSWORD }],
      config: ["KbdInteractiveAuthentication no"],
    });
    try {
      await lab.trust(targetOf(plain));
      const connection = await lab.ssh.connect(targetOf(plain), { kind: "password", password: PASSWORD });
      connection.end();
      expect((await attempts(plain)).join()).toContain("Accepted password");
    } finally {
      await plain.close();
    }
  });

  test("a wrong password is refused, names the user, and is sent once", async () => {
    const before = (await attempts(sshd)).length;
    const problem = await refused({ kind: "password", password: "canary-wrong-pw" });
    expect(problem.code).toBe("sign-in-refused");
    expect(problem.title).toContain(sshd.users[0]!.name);
    expect(problem.cause).toMatch(/password was not accepted/);
    expect(JSON.stringify(problem)).not.toContain("canary");
    const new_ = (await attempts(sshd)).slice(before);
    expect(new_.filter((line) => /^Failed password/.test(line))).toHaveLength(0);
    expect(new_.some((line) => line.includes("keyboard-interactive"))).toBe(true);
  });

  test("a user that is not there is refused in the same way", async () => {
    const target = { ...targetOf(sshd), user: "nobody-of-that-name" };
    const problem = await problemOf(lab.ssh.connect(target, { kind: "password", password: "x" }));
    expect(problem.code).toBe("sign-in-refused");
    expect(problem.title).toContain("nobody-of-that-name");
  });

  test.each(["ed25519", "ecdsa", "rsa"])("with a key (%s), with and without a passphrase", async (type) => {
    expect(await enter({ kind: "key", path: makeKey(`plain-${type}`, "", type) })).toBe(sshd.users[0]!.name);
    const path = makeKey(`locked-${type}`, PASSPHRASE, type);
    expect(await enter({ kind: "key", path, passphrase: PASSPHRASE })).toBe(sshd.users[0]!.name);
  });

  test("opening a passphrase holds nothing up", async () => {
    const startedAt = performance.now();
    ssh2.utils.parseKey(readFileSync(key("locked-ed25519")), PASSPHRASE);
    const here = performance.now() - startedAt;
    let late = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      late = Math.max(late, performance.now() - last - 5);
      last = performance.now();
    }, 5);
    await enter({ kind: "key", path: key("locked-ed25519"), passphrase: PASSPHRASE });
    clearInterval(beat);
    expect(late).toBeLessThan(here * 0.7);
  });

  test("each trouble with a key has its own name, and nothing is sent", async () => {
    const before = (await attempts(sshd)).length;
    const locked = key("locked-ed25519");
    expect((await refused({ kind: "key", path: locked })).code).toBe("secret-missing");
    const wrong = await refused({ kind: "key", path: locked, passphrase: "canary-wrong" });
    expect(wrong.code).toBe("passphrase-wrong");
    expect(JSON.stringify(wrong)).not.toContain("canary");
    const unreadable = async (path: string, cause: RegExp) => {
      const problem = await refused({ kind: "key", path });
      expect(problem.code).toBe("key-unreadable");
      expect(problem.cause).toMatch(cause);
    };
    await unreadable(key("none"), /is not there/);
    await unreadable(lab.folder, /not a file/);
    await unreadable(`${locked}.pub`, /public half/);
    writeFileSync(key("notes"), "no key at all\n");
    await unreadable(key("notes"), /no private key/);
    expect((await refused({ kind: "lab-key" })).code).toBe("secret-missing");
    expect((await refused({ kind: "agent" })).code).toBe("no-agent");
    expect(await attempts(sshd)).toHaveLength(before);
  });

  test("a key that the board does not know is refused", async () => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key("foreign")]);
    const problem = await refused({ kind: "key", path: key("foreign") });
    expect(problem).toMatchObject({ code: "sign-in-refused", cause: expect.stringContaining("foreign") });
  });

  test("with the agent, once it holds the key", async () => {
    const socket = join(sshd.folder, "agent");
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    for (let turn = 0; turn < 100 && !existsSync(socket); turn++) await wait(20);
    expect(await refused({ kind: "agent" })).toMatchObject({
      code: "no-agent",
      cause: expect.stringContaining("holds no key"),
    });
    expect((await lab.ssh.reach(targetOf(sshd))).ways.agent).toBe(false);
    const path = makeKey("in-agent", "");
    chmodSync(path, 0o600);
    execFileSync("ssh-add", ["-q", path], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: "ignore",
    });
    expect((await lab.ssh.reach(targetOf(sshd))).ways.agent).toBe(true);
    expect(await enter({ kind: "agent" })).toBe(sshd.users[0]!.name);
  });

  test("ways on the way there that end nowhere", async () => {
    const servers: Server[] = [];
    const listen = (answer: string | undefined, thenEnd: boolean) =>
      new Promise<number>((resolve) => {
        const server = createServer((socket) => {
          socket.on("error", () => {});
          if (answer !== undefined) socket.write(answer);
          if (thenEnd) socket.end();
        });
        servers.push(server);
        server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
      });
    const code = async (host: string, port: number) =>
      (await problemOf(lab.ssh.reach({ host, port, user: "x" }))).code;
    const http = await listen("HTTP/1.1 400 Bad Request\r\n\r\n", false);
    expect(await code("127.0.0.1", http)).toBe("not-ssh");
    expect(await code("127.0.0.1", await listen(undefined, true))).toBe("not-ssh");
    expect(await code("no-such-board.invalid", 22)).toBe("name-unknown");
    for (const server of servers) server.close();
    const closed = await listen(undefined, true);
    await new Promise((resolve) => servers.at(-1)!.close(resolve));
    const refusal = await problemOf(lab.ssh.reach({ host: "127.0.0.1", port: closed }));
    expect(refusal).toMatchObject({ code: "refused", title: expect.stringContaining(String(closed)) });
  });

  test("it can be cancelled while it waits", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const controller = new AbortController();
    const reaching = problemOf(lab.ssh.reach({ host: "127.0.0.1", port }, controller.signal));
    await wait(50);
    controller.abort();
    expect((await reaching).code).toBe("cancelled");
    server.close();
  });

  test("what one signed in with is in no file", () => {
    const files = (folder: string): string[] =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
    const all = [...files(lab.folder), ...files(sshd.folder)];
    expect(all.length).toBeGreaterThan(5);
    expect(all.filter((file) => readFileSync(file, "latin1").includes("canary-"))).toEqual([]);
    expect(lab.secrets.view()).toMatchObject({ kept: "memory" });
  });
});
