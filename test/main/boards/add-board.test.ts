import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { NO_SSHD, named, problemOf, skip, targetOf } from "#test/main/boards/ssh/ssh-lab.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";
import { countConnections, createBoardsLab } from "./boards-lab.ts";

const PASSWORD = "pw-of-test";
const password = { kind: "password", password: PASSWORD } as const;
const BY_PASSWORD = "keyboard-interactive/pam";

describe.skipIf(skip(NO_SSHD))(named("a board that is added, at a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createBoardsLab>;
  const add = (installKey: boolean) =>
    lab.boards.add({ name: "pi", target: targetOf(sshd), signIn: password, installKey });
  const trust = async (): Promise<void> => {
    const { host, port, key } = await lab.boards.reach(targetOf(sshd));
    await lab.boards.trust(host, port, key.fingerprint);
  };
  const state = () => lab.boards.summary("pi")?.state;
  const becomes = (wanted: string) => vi.waitFor(() => expect(state()).toBe(wanted), { timeout: 10_000 });

  beforeEach(async () => {
    sshd = await startSshd({ users: [{ password: PASSWORD }] });
    lab = createBoardsLab();
    return async () => {
      await lab.close();
      await sshd.close();
    };
  });
  afterEach(() => expect(lab.bugs).toEqual([]));

  test("whose key is unknown: the key is read over one connection, and nobody signs in", async () => {
    const count = countConnections(sshd);
    expect((await problemOf(add(true))).code).toBe("host-key-new");
    expect(await count.all()).toBe(1);
    expect(await count.accepted()).toEqual([]);
    expect(lab.boards.has("pi")).toBe(false);
    // The key that was shown may be trusted without another look.
    await lab.boards.trust(sshd.host, sshd.port, sshd.fingerprint);
    expect((await lab.boards.reach(targetOf(sshd))).trust).toBe("known");
  });

  test("is signed in to once; that connection is looked around with and kept", async () => {
    await trust();
    const count = countConnections(sshd);
    await add(false);
    expect(state()).toBe("online");
    expect(lab.boards.view("pi")).toMatchObject({
      hostKey: { type: "ssh-ed25519", fingerprint: sshd.fingerprint },
      signIn: "password",
      facts: { user: sshd.users[0]!.name },
      plan: { steps: expect.any(Array) },
    });
    await lab.boards.probe("pi");
    await wait(1500);
    expect(await count.all()).toBe(1);
    expect(await count.accepted()).toEqual([BY_PASSWORD]);
    expect(lab.events).toMatchObject([{ kind: "board-state", device: "pi", state: "online" }]);
  });

  test("gets the lab's key over the same connection; the next one is signed in to with it", async () => {
    await trust();
    const count = countConnections(sshd);
    await add(true);
    expect(lab.boards.view("pi")).toMatchObject({ signIn: "lab-key", state: "online" });
    expect(await count.all()).toBe(1);
    expect(await lab.boards.secrets.get("board/pi")).toBeUndefined();
    await sshd.killSessions();
    await becomes("offline");
    await becomes("online");
    expect(await count.accepted()).toEqual([BY_PASSWORD, "publickey"]);
    expect(lab.boards.view("pi")?.signIn).toBe("lab-key");
  });

  test("that does not accept the lab's key is signed in to as before, and says so", async () => {
    await trust();
    await sshd.restart(["PubkeyAuthentication no"]);
    const count = countConnections(sshd);
    await add(true);
    expect(await count.all()).toBe(1);
    await sshd.killSessions();
    await becomes("offline");
    await becomes("online");
    expect(await count.accepted()).toEqual([BY_PASSWORD, BY_PASSWORD]);
    expect(lab.records.get("pi")?.signIn).toEqual({ kind: "password" });
    await vi.waitFor(() => expect(lab.lines.at(-1)?.text).toMatch(/does not accept the lab's own key/));
  });

  test("with a wrong password is not on the list, and leaves no connection", async () => {
    await trust();
    const wrong = { kind: "password", password: "another" } as const;
    const adding = lab.boards.add({ name: "pi", target: targetOf(sshd), signIn: wrong, installKey: true });
    expect((await problemOf(adding)).code).toBe("sign-in-refused");
    expect(lab.boards.has("pi")).toBe(false);
    await expect(
      lab.boards.add({ name: "pi", target: targetOf(sshd), signIn: password, installKey: false }),
    ).resolves.toBeUndefined();
    await expect(add(false)).rejects.toThrow("There is a board called pi already.");
  });

  test("a change of its sign-in is tried over one connection, which is the board's own from then on", async () => {
    await trust();
    await add(true);
    const count = countConnections(sshd);
    await lab.boards.change("pi", { signIn: password });
    expect(state()).toBe("online");
    expect(lab.boards.view("pi")?.signIn).toBe("password");
    await wait(1500);
    expect(await count.all()).toBe(1);
    const wrong = { kind: "password", password: "another" } as const;
    expect((await problemOf(lab.boards.change("pi", { signIn: wrong }))).code).toBe("sign-in-refused");
    expect(state()).toBe("online");
  });

  test("tells of itself only while somebody watches, over the same connection", async () => {
    await trust();
    await add(false);
    const count = countConnections(sshd);
    await wait(2500);
    expect(lab.points()).toEqual([]);
    const release = lab.boards.watchTelemetry(["pi", "no-board-of-ours"]);
    await vi.waitFor(() => expect(lab.points().length).toBeGreaterThan(2), { timeout: 10_000 });
    expect(lab.points()[0]).toMatchObject({ device: "pi", point: { memoryBytes: expect.any(Number) } });
    expect(lab.boards.summary("pi")?.telemetry).toBeDefined();
    expect(lab.recorded.length).toBeGreaterThan(0);
    release();
    release();
    // It lingers for some seconds, for a page that comes back.
    await vi.waitFor(() => expect(lab.boards.summary("pi")?.telemetry).toBeUndefined(), { timeout: 10_000 });
    const told = lab.points().length;
    await wait(6000);
    expect(lab.points().length).toBe(told);
    // Its heartbeat is a sign of life all the same.
    expect(state()).toBe("online");
    expect(await count.all()).toBe(0);
  }, 60_000);
});
