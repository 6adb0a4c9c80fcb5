import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SshConnection } from "#main/boards/board-ports.ts";
import { createLabKey } from "#main/boards/ssh/lab-key.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { createSshLab, NO_SSHD, named, problemOf, skip, targetOf } from "./ssh-lab.ts";

test("every key that is made can be read, and is made once", async () => {
  for (let i = 0; i < 300; i++) {
    const kept = new Map<string, string>();
    const key = createLabKey({
      secrets: {
        get: async (name) => kept.get(name),
        set: async (name, value) => void kept.set(name, value),
      },
      comment: "fedfleet",
    });
    expect(await key.exists()).toBe(false);
    const [one, two] = await Promise.all([key.publicLine(), key.publicLine()]);
    expect(one).toBe(two);
    expect(ssh2.utils.parseKey(await key.privateKey())).not.toBeInstanceOf(Error);
    expect(one).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]{68} fedfleet$/);
  }
});

describe.skipIf(skip(NO_SSHD))(named("the lab's own key, on a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  let byPassword: SshConnection;
  const file = () => join(sshd.users[0]!.home, ".ssh", "authorized_keys");
  const OWN = "# mine\nssh-rsa AAAAB3NzaC1yc2E= somebody@else"; // without a line's end
  beforeAll(async () => {
    sshd = await startSshd({ users: [{ password: "pw-of-test" }] });
    lab = createSshLab();
    await lab.trust(targetOf(sshd));
    byPassword = await lab.ssh.connect(targetOf(sshd), { kind: "password", password: "pw-of-test" });
  });
  afterAll(async () => {
    byPassword?.end();
    lab?.close();
    await sshd?.close();
  });

  test("is installed where there was no folder, twice is once, and opens the door", async () => {
    await lab.labKey.install(byPassword);
    await lab.labKey.install(byPassword);
    const line = `restrict,port-forwarding ${await lab.labKey.publicLine()}\n`;
    expect(readFileSync(file(), "utf8")).toBe(line);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(statSync(join(file(), "..")).mode & 0o777).toBe(0o700);
    expect((await lab.ssh.reach(targetOf(sshd))).ways.labKey).toBe(true);
  });

  test("may run commands, send files and forward in both directions, and nothing else", async () => {
    const connection = await lab.ssh.connect(targetOf(sshd), { kind: "lab-key" });
    expect((await connection.run("echo here")).stdout).toBe("here\n");
    const sftp = await connection.sftp();
    const home = await new Promise((resolve, reject) =>
      sftp.realpath(".", (error, path) => (error ? reject(error) : resolve(path))),
    );
    expect(home).toBe(sshd.users[0]!.home);
    const server = createServer((socket) => socket.pipe(socket));
    const path = join(sshd.folder, "echo.sock");
    await new Promise<void>((resolve) => server.listen({ path, writableAll: true }, resolve));
    const out = await connection.openSocket(path);
    const echoed = new Promise((resolve) => out.once("data", (chunk) => resolve(String(chunk))));
    out.write("there and back");
    expect(await echoed).toBe("there and back");
    server.close();
    const back = await connection.forwardSocket("in/s:1", (channel) => channel.end("from the lab"));
    const said = await connection.run(
      `python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); s.connect("in/s:1"); print(s.recv(99).decode())'`,
    );
    expect(said).toMatchObject({ code: 0, stdout: "from the lab\n" });
    await back.close();
    const port = await connection.forwardPort((channel) => channel.end("by port"));
    const heard = await connection.run(
      `python3 -c 'import socket; print(socket.create_connection(("127.0.0.1", ${port.port})).recv(99).decode())'`,
    );
    expect(heard).toMatchObject({ code: 0, stdout: "by port\n" });
    await port.close();
    connection.end();
  });

  test("is taken away, and nothing else with it", async () => {
    writeFileSync(file(), OWN);
    await lab.labKey.install(byPassword);
    const line = `restrict,port-forwarding ${await lab.labKey.publicLine()}`;
    expect(readFileSync(file(), "utf8")).toBe(`${OWN}\n${line}\n`);
    writeFileSync(file(), `${readFileSync(file(), "utf8")}${line}-more\n`);
    await lab.labKey.uninstall(byPassword);
    await lab.labKey.uninstall(byPassword);
    expect(readFileSync(file(), "utf8")).toBe(`${OWN}\n${line}-more\n`);
    expect((await byPassword.run("ls .ssh")).stdout).toBe("authorized_keys\n");
  });

  test("a home that cannot be written is said", async () => {
    writeFileSync(file(), "");
    await byPassword.run("rm -rf .ssh; touch .ssh");
    const problem = await problemOf(lab.labKey.install(byPassword));
    expect(problem.title).toMatch(/could not be installed/);
    expect(problem.raw).toMatch(/exists|directory/i);
  });
});
