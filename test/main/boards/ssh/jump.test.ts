import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { createSshLab, NO_NAMESPACE, named, problemOf, skip } from "./ssh-lab.ts";

const password = { kind: "password", password: "pw-of-test" } as const;

describe.skipIf(skip(NO_NAMESPACE))(named("a board behind another host", NO_NAMESPACE), () => {
  let gate: Sshd;
  let board: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  beforeAll(async () => {
    lab = createSshLab();
    mkdirSync(join(lab.folder, ".ssh"));
    const key = join(lab.folder, ".ssh", "gate-key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    gate = await startSshd({ users: [{ authorizedKeys: [readFileSync(`${key}.pub`, "utf8")] }] });
    board = await startSshd({ namespace: true, users: [{ password: "pw-of-test" }] });
    writeFileSync(
      join(lab.folder, ".ssh", "config"),
      [
        "Host board",
        `  HostName ${board.host}`,
        `  Port ${board.port}`,
        `  User ${board.users[0]!.name}`,
        "  ProxyJump gate",
        "Host gate",
        `  HostName ${gate.host}`,
        `  Port ${gate.port}`,
        `  User ${gate.users[0]!.name}`,
        "  IdentityFile ~/.ssh/gate-key",
      ].join("\n"),
    );
  });
  afterAll(async () => {
    lab?.close();
    await gate?.close();
    await board?.close();
  });

  test("the host before is shown first; then the board; then both are entered", async () => {
    const first = await lab.ssh.reach({ host: "board" });
    expect(first).toMatchObject({ trust: "new", isJump: true, port: gate.port });
    expect(first.key.fingerprint).toBe(gate.fingerprint);
    expect((await problemOf(lab.ssh.connect({ host: "board" }, password))).code).toBe("host-key-new");
    expect(gate.log()).not.toContain("Accepted");
    await lab.ssh.trust(first.host, first.port, first.key.fingerprint);

    const second = await lab.ssh.reach({ host: "board" });
    expect(second).toMatchObject({
      trust: "new",
      isJump: false,
      host: board.host,
      user: board.users[0]!.name,
    });
    expect(second.key.fingerprint).toBe(board.fingerprint);
    expect(board.log()).not.toContain("Accepted");
    await lab.ssh.trust(second.host, second.port, second.key.fingerprint);

    expect((await lab.ssh.reach({ host: "board" })).trust).toBe("known");
    const connection = await lab.ssh.connect({ host: "board" }, password, { pinned: second.key });
    expect((await connection.run("echo $SSH_CONNECTION")).stdout).toContain(board.host);
    const tunnel = await connection.forwardPort(() => {});
    await tunnel.close();
    connection.end();
    await connection.closed;
  });

  test("when the host before dies, so does the connection", async () => {
    const connection = await lab.ssh.connect({ host: "board" }, password);
    const waiting = problemOf(connection.run("sleep 100"));
    const killedAt = performance.now();
    await gate.killSessions();
    expect((await waiting).code).toBe("connection-lost");
    expect(performance.now() - killedAt).toBeLessThan(1000);
  });

  test("each trouble on the way says whose it is", async () => {
    await board.restart();
    const file = join(lab.folder, ".ssh", "config");
    const config = readFileSync(file, "utf8");
    writeFileSync(file, config.replace(`Port ${board.port}\n`, "Port 9\n"));
    const beyond = await problemOf(lab.ssh.reach({ host: "board" }));
    expect(beyond).toMatchObject({ code: "jump-failed", cause: expect.stringContaining(`${board.host}:9`) });
    writeFileSync(file, config.replace(/IdentityFile.*/, ""));
    const refused = await problemOf(lab.ssh.reach({ host: "board" }));
    expect(refused).toMatchObject({ code: "sign-in-refused", title: expect.stringContaining(gate.host) });
    writeFileSync(file, config);
    await gate.replaceHostKey();
    const changed = await problemOf(lab.ssh.connect({ host: "board" }, password));
    expect(changed).toMatchObject({ code: "host-key-changed", title: expect.stringContaining(gate.host) });
    expect(await lab.ssh.reach({ host: "board" })).toMatchObject({ trust: "changed", isJump: true });
  });
});
