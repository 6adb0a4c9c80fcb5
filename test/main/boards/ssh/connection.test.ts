import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { createTail } from "#main/boards/ssh/commands.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { createSshLab, NO_SSHD, named, problemOf, skip, targetOf } from "./ssh-lab.ts";

test("a tail keeps the last bytes and cuts no character in two", () => {
  const tail = createTail(10);
  for (const text of ["abcdef", "ghijkl", "ä", "öü"]) tail.add(Buffer.from(text));
  expect(tail.text()).toBe("ijkläöü".slice(-7));
  const cut = createTail(3);
  cut.add(Buffer.from("xäö"));
  expect(cut.text()).toBe("ö");
});

const password = { kind: "password", password: "pw-of-test" } as const;
const CLIENT = (path: string) =>
  `import socket; s=socket.socket(socket.AF_UNIX); s.connect("${path}"); print(s.recv(99).decode())`;

describe.skipIf(skip(NO_SSHD))(named("a connection, to a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  let connection: SshConnection;
  beforeAll(async () => {
    sshd = await startSshd({ users: [{ password: "pw-of-test" }], env: { BOARD_WORD: "from sshd" } });
    lab = createSshLab();
    await lab.trust(targetOf(sshd));
  });
  afterAll(async () => {
    lab?.close();
    await sshd?.close();
  });
  beforeEach(async () => {
    connection = await lab.ssh.connect(targetOf(sshd), password);
    return async () => {
      connection.end();
      await connection.closed;
    };
  });
  const echoServer = async (name: string): Promise<{ path: string; server: Server }> => {
    const path = join(sshd.folder, name);
    const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
    await new Promise<void>((resolve) => server.listen({ path, writableAll: true }, resolve));
    return { path, server };
  };

  test("runs commands: output, status, signal, environment", async () => {
    expect(await connection.run("echo out; echo err >&2; exit 7")).toEqual({
      code: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect(await connection.run("kill -KILL $$")).toMatchObject({ code: null, signal: "SIGKILL" });
    expect((await connection.run("echo $BOARD_WORD")).stdout).toBe("from sshd\n");
    // Standard input is closed at once.
    expect(await connection.run("cat")).toMatchObject({ code: 0, stdout: "" });
  });

  test("passes a large input on, and keeps the end of a large output", async () => {
    const bytes = Buffer.alloc(8 << 20, "0123456789abcdef");
    const sum = await connection.run("sha256sum", { stdin: bytes });
    expect(sum.stdout.split(" ")[0]).toBe(createHash("sha256").update(bytes).digest("hex"));
    let heard = 0;
    const long = await connection.run("seq 1 400000; echo ärgerlich >&2", {
      onOutput: (text, stream) => {
        if (stream === "stdout") heard += text.length;
      },
    });
    expect(heard).toBeGreaterThan(2_600_000);
    expect(long.stdout.length).toBe(256 * 1024);
    expect(long.stdout.endsWith("\n399999\n400000\n")).toBe(true);
    expect(long.stderr).toBe("ärgerlich\n");
  });

  test("no more than six at once, whatever is asked, and no more than the server allows", async () => {
    const started = performance.now();
    const all = await Promise.all(
      Array.from({ length: 24 }, (_, i) => connection.run(`sleep 0.1; echo ${i}`)),
    );
    expect(all.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(performance.now() - started).toBeGreaterThan(350);
    const strict = await startSshd({ users: [{ password: "pw-of-test" }], config: ["MaxSessions 2"] });
    await lab.trust(targetOf(strict));
    const narrow = await lab.ssh.connect(targetOf(strict), password);
    try {
      const some = await Promise.all(
        Array.from({ length: 8 }, (_, i) => narrow.run(`sleep 0.05; echo ${i}`)),
      );
      expect(some.map(({ stdout }) => Number(stdout))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    } finally {
      narrow.end();
      await strict.close();
    }
  });

  test("a command can be cancelled, and has a limit; either way it ends on the board", async () => {
    const controller = new AbortController();
    const cancelled = problemOf(connection.run("exec sleep 4711", { signal: controller.signal }));
    await wait(150);
    controller.abort();
    expect((await cancelled).code).toBe("cancelled");
    expect((await problemOf(connection.run("exec sleep 4711", { timeoutMs: 150 }))).code).toBe("no-answer");
    await wait(100);
    expect((await connection.run("pgrep -u $USER -x sleep")).stdout).toBe("");
    const already = AbortSignal.abort();
    expect((await problemOf(connection.run("true", { signal: already }))).code).toBe("cancelled");
  });

  test("forwardings are told apart, survive an old file, and end", async () => {
    await connection.run("mkdir -p run/a && touch run/a/s:1");
    const one = await connection.forwardSocket("run/a/s:1", (channel) => channel.end("one"));
    const two = await connection.forwardSocket("run/b/s:1", (channel) => channel.end("two"));
    const ask = (path: string) => connection.run(`python3 -c '${CLIENT(path)}'`);
    expect((await Promise.all([ask("run/a/s:1"), ask("run/b/s:1")])).map(({ stdout }) => stdout)).toEqual([
      "one\n",
      "two\n",
    ]);
    // The same place again takes the first one's place.
    const three = await connection.forwardSocket("run/a/s:1", (channel) => channel.end("three"));
    expect((await ask("run/a/s:1")).stdout).toBe("three\n");
    await one.close();
    expect((await ask("run/a/s:1")).stdout).toBe("three\n");
    await Promise.all([two.close(), three.close()]);
    expect((await connection.run("ls run/a run/b")).stdout).not.toContain("s:1");
    const port = await connection.forwardPort(() => {});
    expect((await connection.run("ss -ltnH")).stdout).toContain(`127.0.0.1:${port.port}`);
    await port.close();
    expect((await connection.run("ss -ltnH")).stdout).not.toContain(`127.0.0.1:${port.port}`);
  });

  test("a socket that cannot be opened or made is said", async () => {
    const missing = await problemOf(connection.openSocket("/nowhere/docker.sock"));
    expect(missing).toMatchObject({
      code: "forwarding-refused",
      raw: expect.stringContaining("open failed"),
    });
    const long = await problemOf(connection.forwardSocket(`${"x".repeat(120)}/s:1`, () => {}));
    expect(long.cause).toContain("longer than");
    const locked = await problemOf(connection.forwardSocket("/proc/nothing/s:1", () => {}));
    expect(locked.cause).toContain("cannot be created");
  });

  test("a server that forbids tunnels is named, with the line to change", async () => {
    const strict = await startSshd({
      users: [{ password: "pw-of-test" }],
      config: ["AllowStreamLocalForwarding no", "AllowTcpForwarding no"],
    });
    await lab.trust(targetOf(strict));
    const narrow = await lab.ssh.connect(targetOf(strict), password);
    try {
      const socket = await problemOf(narrow.forwardSocket("run/s:1", () => {}));
      expect(socket).toMatchObject({
        code: "forwarding-refused",
        next: expect.stringContaining("AllowStreamLocalForwarding"),
      });
      const port = await problemOf(narrow.forwardPort(() => {}));
      expect(port.next).toContain("AllowTcpForwarding");
      expect((await problemOf(narrow.openSocket("/run/x.sock"))).code).toBe("forwarding-refused");
      expect((await narrow.run("echo still here")).stdout).toBe("still here\n");
    } finally {
      narrow.end();
      await strict.close();
    }
  });

  test("files go over one session, which is made again where it ended", async () => {
    const [one, two] = await Promise.all([connection.sftp(), connection.sftp()]);
    expect(one).toBe(two);
    one.end();
    await new Promise((resolve) => one.once("close", resolve));
    const three = await connection.sftp();
    expect(three).not.toBe(one);
    await new Promise<void>((resolve, reject) =>
      three.writeFile("sent", "text", (error) => (error ? reject(error) : resolve())),
    );
    expect((await connection.run("cat sent")).stdout).toBe("text");
  });

  test("when the session is killed, everything that waits settles within a second", async () => {
    const { path, server } = await echoServer("echo-1.sock");
    const channel = await connection.openSocket(path);
    const reader = await connection.open("echo started; sleep 100");
    await new Promise((resolve) => reader.once("data", resolve));
    const closes = [channel, reader].map((one) => new Promise((resolve) => one.once("close", resolve)));
    // The far side reads slowly: this write is under way when the connection dies.
    channel.write(Buffer.alloc(16 << 20));
    const waiting = [
      ...Array.from({ length: 9 }, () =>
        problemOf(connection.run("sleep 100", { timeoutMs: Number.POSITIVE_INFINITY })),
      ),
      ...[problemOf(connection.run("cat", { stdin: Buffer.alloc(32 << 20) }))],
    ];
    await wait(100);
    const killedAt = performance.now();
    await sshd.killSessions();
    await connection.closed;
    expect(performance.now() - killedAt).toBeLessThan(1000);
    expect((await Promise.all(waiting)).map(({ code }) => code)).toEqual(Array(10).fill("connection-lost"));
    await Promise.all(closes);
    expect(performance.now() - killedAt).toBeLessThan(1000);
    expect(connection.isClosed).toBe(true);
    expect(connection.lost).toMatchObject({
      code: "connection-lost",
      title: expect.stringContaining(sshd.host),
    });
    for (const late of [
      connection.run("true"),
      connection.open("true"),
      connection.openSocket(path),
      connection.forwardSocket("run/s:1", () => {}),
      connection.forwardPort(() => {}),
      connection.sftp(),
    ]) {
      expect((await problemOf(late)).code).toBe("connection-lost");
    }
    server.close();
  });

  test("its end is the lab's own, and leaves nothing open", async () => {
    const waiting = problemOf(connection.run("sleep 100"));
    await wait(50);
    connection.end();
    connection.end();
    await connection.closed;
    expect((await waiting).cause).toContain("The lab ended it");
  });
});
