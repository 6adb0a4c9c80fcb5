import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openClient } from "#main/boards/ssh/open-client.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { attempts, createSshLab, NO_SSHD, named, problemOf, skip, targetOf } from "./ssh-lab.ts";

const PASSWORD = "canary-correct-horse";

describe.skipIf(skip(NO_SSHD))(named("host keys, on a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  beforeAll(async () => {
    sshd = await startSshd({ users: [{ password: PASSWORD }] });
  });
  afterAll(() => sshd?.close());
  beforeEach(() => {
    lab = createSshLab();
    mkdirSync(join(lab.folder, ".ssh"));
    return () => lab.close();
  });
  const password = { kind: "password", password: PASSWORD } as const;

  test("an unknown key is shown, and nothing is sent before it is trusted", async () => {
    const target = targetOf(sshd);
    const before = await attempts(sshd);
    const reached = await lab.ssh.reach(target);
    expect(reached).toEqual({
      trust: "new",
      host: sshd.host,
      port: sshd.port,
      isJump: false,
      key: { type: "ssh-ed25519", fingerprint: sshd.fingerprint },
      user: target.user,
      ways: { agent: false, keys: [], labKey: false },
    });
    const refused = await problemOf(lab.ssh.connect(target, password));
    expect(refused.code).toBe("host-key-new");
    expect(refused.cause).toContain(sshd.fingerprint);
    expect(await attempts(sshd)).toEqual(before);

    await lab.ssh.trust(reached.host, reached.port, reached.key.fingerprint);
    expect((await lab.ssh.reach(target)).trust).toBe("known");
    expect(statSync(lab.knownHosts).mode & 0o777).toBe(0o600);
    // OpenSSH's own tool reads the file.
    const found = execFileSync("ssh-keygen", [
      "-F",
      `[${sshd.host}]:${sshd.port}`,
      "-f",
      lab.knownHosts,
      "-l",
    ]);
    expect(String(found)).toContain(sshd.fingerprint);
    const connection = await lab.ssh.connect(target, password);
    connection.end();
    await connection.closed;
    expect((await attempts(sshd)).length).toBeGreaterThan(before.length);
  });

  test("a key is trusted only as it was shown", async () => {
    await expect(lab.ssh.trust(sshd.host, sshd.port, sshd.fingerprint)).rejects.toThrow("look at it again");
    await lab.ssh.reach(targetOf(sshd));
    await expect(lab.ssh.trust(sshd.host, sshd.port, "SHA256:other")).rejects.toThrow("look at it again");
  });

  test.each(["ed25519", "ecdsa", "rsa"] as const)(
    "a machine that shows another key (%s) is not spoken with",
    async (type) => {
      const target = targetOf(sshd);
      const old = await lab.trust(target);
      await sshd.replaceHostKey(type);
      const before = await attempts(sshd);
      const now = await lab.ssh.reach(target);
      expect(now).toMatchObject({ trust: "changed", known: [old], key: { fingerprint: sshd.fingerprint } });
      for (const options of [{}, { pinned: old }]) {
        const problem = await problemOf(lab.ssh.connect(target, password, options));
        expect(problem.code).toBe("host-key-changed");
        expect(problem.cause).toContain(old.fingerprint);
        expect(problem.cause).toContain(sshd.fingerprint);
        expect(JSON.stringify(problem.actions)).toContain(`ssh_host_${type}_key.pub`);
      }
      expect(await attempts(sshd)).toEqual(before);
      // Trusting is not the way out; replacing is.
      expect((await problemOf(lab.ssh.trust(now.host, now.port, now.key.fingerprint))).code).toBe(
        "host-key-changed",
      );
      await lab.ssh.replace(now.host, now.port, now.key.fingerprint);
      expect((await lab.ssh.reach(target)).trust).toBe("known");
      expect(readFileSync(lab.knownHosts, "utf8").trim().split("\n")).toHaveLength(1);
      const connection = await lab.ssh.connect(target, password, { pinned: now.key });
      connection.end();
    },
  );

  test("what is pinned counts, whatever known_hosts says", async () => {
    await lab.trust(targetOf(sshd));
    const pinned = { type: "ssh-ed25519", fingerprint: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
    const problem = await problemOf(lab.ssh.connect(targetOf(sshd), password, { pinned }));
    expect(problem.code).toBe("host-key-changed");
  });

  test("the user's own known_hosts counts, hashed or not, and is never written", async () => {
    const file = join(lab.folder, ".ssh", "known_hosts");
    const [type, base64] = readFileSync(`${sshd.hostKeyFile}.pub`, "utf8").split(" ");
    writeFileSync(file, `[${sshd.host}]:${sshd.port} ${type} ${base64}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
    const text = readFileSync(file, "utf8");
    expect(text).toContain("|1|");
    expect((await lab.ssh.reach(targetOf(sshd))).trust).toBe("known");
    await sshd.replaceHostKey("ed25519");
    expect((await lab.ssh.reach(targetOf(sshd))).trust).toBe("changed");
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("a revoked key is refused although it is known", async () => {
    const target = targetOf(sshd);
    const key = await lab.trust(target);
    const [type, base64] = readFileSync(`${sshd.hostKeyFile}.pub`, "utf8").split(" ");
    appendFileSync(lab.knownHosts, `@revoked * ${type} ${base64}\n`);
    const before = await attempts(sshd);
    expect((await problemOf(lab.ssh.reach(target))).code).toBe("host-key-revoked");
    expect((await problemOf(lab.ssh.connect(target, password, { pinned: key }))).code).toBe(
      "host-key-revoked",
    );
    expect(await attempts(sshd)).toEqual(before);
  });

  test.each<[string, () => unknown]>([
    ["false", () => false],
    ["null", () => null],
    ["undefined", () => undefined],
    ["0", () => 0],
    ["an empty text", () => ""],
    ["a text", () => "yes"],
    ["an error", () => new Error("no")],
    ["a promise of false", () => Promise.resolve(false)],
    ["a promise of true", () => Promise.resolve(true)],
    [
      "throwing",
      () => {
        throw new Error("verifier");
      },
    ],
  ])("a verifier that answers with %s lets nothing through", async (_name, answer) => {
    const hop = targetOf(sshd);
    const before = await attempts(sshd);
    const proofs = [{ type: "password", username: hop.user, password: PASSWORD }] as const;
    await expect(openClient({ hop, proofs, verify: answer as () => boolean })).rejects.toThrow();
    expect(await attempts(sshd)).toEqual(before);
  });

  test("a verifier that answers with true does", async () => {
    const hop = targetOf(sshd);
    const proofs = [{ type: "password", username: hop.user, password: PASSWORD }] as const;
    const { client } = await openClient({ hop, proofs, verify: () => true });
    client.end();
  });
});
