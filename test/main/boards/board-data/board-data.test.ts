import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropPart } from "#main/boards/board-data/drop-part.ts";
import { checkFolder, sendPart } from "#main/boards/board-data/send-part.ts";
import type { PartFiles, SshConnection } from "#main/boards/board-ports.ts";
import { createSshLab, NO_SSHD, named, problemOf, skip, targetOf } from "#test/main/boards/ssh/ssh-lab.ts";
import { type Sshd, startSshd } from "#test/setup/sshd.ts";

const password = { kind: "password", password: "pw-of-test" } as const;
const MB = 1_000_000;
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const never = new AbortController().signal;

describe.skipIf(skip(NO_SSHD))(named("data on a board, over a real sshd", NO_SSHD), () => {
  let sshd: Sshd;
  let lab: ReturnType<typeof createSshLab>;
  let connection: SshConnection;
  let local: string;
  const undo: (() => void)[] = [];
  const home = () => sshd.users[0]!.home;
  const onBoard = (...path: string[]) => join(home(), ".fedfleet", ...path);
  const connect = () => lab.ssh.connect(targetOf(sshd), password);
  beforeAll(async () => {
    sshd = await startSshd({ users: [{ password: password.password }] });
    lab = createSshLab();
    await lab.trust(targetOf(sshd));
    local = mkdtempSync(join(tmpdir(), "fedfleet-part-"));
  });
  afterAll(async () => {
    lab?.close();
    await sshd?.close();
    rmSync(local, { recursive: true, force: true });
  });
  beforeEach(async () => {
    connection = await connect();
  });
  afterEach(async () => {
    connection.end();
    await connection.closed;
    for (const step of undo.splice(0).reverse()) step();
    rmSync(onBoard(), { recursive: true, force: true });
  });

  const fileOf = (bytes: Buffer): PartFiles["files"][number] => {
    const digest = sha256(bytes);
    const path = join(local, `${digest}.npy`);
    writeFileSync(path, bytes);
    return { sha256: digest, bytes: bytes.length, path };
  };
  const partOf = (...sizes: number[]): PartFiles => {
    const files = sizes.map((size) => fileOf(randomBytes(size)));
    return { json: JSON.stringify({ version: 1, train: files.map((file) => file.sha256) }), files };
  };
  /** @returns what was told on the way */
  const send = async (
    study: string,
    part: PartFiles,
    options: Partial<Parameters<typeof sendPart>[3]> = {},
  ) => {
    const told: [number, number][] = [];
    await sendPart(connection, study, part, {
      signal: never,
      ...options,
      onProgress: (done, total) => {
        told.push([done, total]);
        options.onProgress?.(done, total);
      },
    });
    return told;
  };
  const expectThere = (part: PartFiles, study: string) => {
    for (const { sha256: name } of part.files) {
      expect(sha256(readFileSync(onBoard("data", `${name}.npy`)))).toBe(name);
    }
    expect(readFileSync(onBoard("parts", `${study}.json`), "utf8")).toBe(part.json);
    expect(readdirSync(onBoard("data")).filter((name) => name.endsWith(".part"))).toEqual([]);
    expect(readdirSync(onBoard("parts")).filter((name) => name.endsWith(".new"))).toEqual([]);
  };
  /** A small disk below the data folder. */
  const mountData = (bytes: number) => {
    const { uid, gid } = sshd.users[0]!;
    mkdirSync(onBoard("data"), { recursive: true });
    execFileSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${bytes},uid=${uid},gid=${gid},mode=700`,
      "tmpfs",
      onBoard("data"),
    ]);
    execFileSync("chown", ["-R", `${uid}:${gid}`, onBoard()]);
    undo.push(() => execFileSync("umount", [onBoard("data")]));
  };

  test("is sent once, for nobody else to read; what another study has is not sent again", async () => {
    const part = partOf(3 * MB, 0, 100);
    const told = await send("s1", part);
    expectThere(part, "s1");
    expect(told.at(0)).toEqual([0, 3 * MB + 100]);
    expect(told.at(-1)).toEqual([3 * MB + 100, 3 * MB + 100]);
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).toSorted((a, b) => a - b));
    for (const folder of [".", "data", "parts", "state", "run"]) {
      expect((statSync(onBoard(folder)).mode & 0o777).toString(8)).toBe("700");
    }
    expect(statSync(onBoard("data", `${part.files[0]!.sha256}.npy`)).mode & 0o077).toBe(0);
    const more = partOf(500);
    const both = { json: "{}", files: [...part.files, ...more.files] };
    const { ino } = statSync(onBoard("data", `${part.files[0]!.sha256}.npy`));
    expect((await send("s2", both))[0]).toEqual([3 * MB + 100, 3 * MB + 600]);
    expectThere(both, "s2");
    expectThere(part, "s1");
    expect(statSync(onBoard("data", `${part.files[0]!.sha256}.npy`)).ino).toBe(ino);
  });

  test("a part that is only a text needs no file", async () => {
    await send("s1", { json: '{"folder":true}', files: [] });
    expect(readFileSync(onBoard("parts", "s1.json"), "utf8")).toBe('{"folder":true}');
  });

  test.each([
    ["the session is killed", () => sshd.killSessions()],
    ["this side ends the connection", () => connection.end()],
  ])("goes on where it was after %s", async (_, cut) => {
    const part = partOf(30 * MB);
    let isCut = false;
    const onProgress = (done: number, total: number) => {
      if (done < total / 3 || isCut) return;
      isCut = true;
      void cut();
    };
    expect(await problemOf(send("s1", part, { onProgress }))).toMatchObject({ code: "connection-lost" });
    const begun = statSync(onBoard("data", `${part.files[0]!.sha256}.part`)).size;
    expect(begun).toBeGreaterThan(5 * MB);
    expect(begun).toBeLessThan(30 * MB);
    expect(existsSync(onBoard("parts", "s1.json"))).toBe(false);
    connection = await connect();
    const told = await send("s1", part);
    // What was on its way may have been written after the end was noticed here.
    const first = told.find(([done]) => done > 0)![0];
    expect(first).toBeGreaterThanOrEqual(begun);
    expect(first).toBeLessThan(begun + 3 * MB);
    expectThere(part, "s1");
  });

  test("stops at once when it is told to, and goes on later", async () => {
    const part = partOf(30 * MB);
    const stop = new AbortController();
    const onProgress = (done: number) => {
      if (done > 3 * MB) stop.abort();
    };
    expect(await problemOf(send("s1", part, { onProgress, signal: stop.signal }))).toMatchObject({
      code: "cancelled",
    });
    expect(connection.isClosed).toBe(false);
    const told = await send("s1", part);
    expect(told.find(([done]) => done > 0)![0]).toBeGreaterThan(3 * MB);
    expectThere(part, "s1");
  });

  test("what is damaged on the board is sent anew: a whole file, a beginning, one that is too long", async () => {
    const part = partOf(2 * MB, 2 * MB, 2 * MB);
    const [whole, begun, long] = part.files.map((file) => file.sha256);
    await send("s1", partOf(1));
    writeFileSync(onBoard("data", `${whole}.npy`), randomBytes(2 * MB));
    writeFileSync(onBoard("data", `${begun}.part`), randomBytes(MB));
    writeFileSync(onBoard("data", `${long}.part`), randomBytes(3 * MB));
    const { uid, gid } = sshd.users[0]!;
    for (const name of readdirSync(onBoard("data"))) chownSync(onBoard("data", name), uid, gid);
    const checked = new Set<string>();
    await send("s1", part, { checked });
    expectThere(part, "s1");
    expect([...checked].sort()).toEqual([whole, begun, long].sort());
    // What was checked is not read again, until somebody asks for it.
    writeFileSync(onBoard("data", `${whole}.npy`), randomBytes(2 * MB));
    await send("s1", part, { checked });
    expect(sha256(readFileSync(onBoard("data", `${whole}.npy`)))).not.toBe(whole);
    checked.clear();
    await send("s1", part, { checked });
    expectThere(part, "s1");
  });

  test("a file that is another on its way twice over is said to be damaged", async () => {
    const part = partOf(1000);
    writeFileSync(part.files[0]!.path, randomBytes(1000));
    expect(await problemOf(send("s1", part))).toMatchObject({ code: "data-damaged" });
    expect(readdirSync(onBoard("data"))).toEqual([]);
  });

  test("a disk that is too small is said so before anything is sent", async () => {
    mountData(20 * MB);
    const problem = await problemOf(send("s1", partOf(30 * MB)));
    expect(problem).toMatchObject({ code: "disk-full" });
    expect(problem.title).toMatch(/^46\.8 MB are needed, (19|20)\.\d MB are free$/);
    expect(readdirSync(onBoard("data"))).toEqual([]);
  });

  test("a disk that fills up meanwhile is named, and no half file stays", async () => {
    mountData(60 * MB);
    const part = partOf(30 * MB);
    let isFull = false;
    const onProgress = (done: number) => {
      if (done < 5 * MB || isFull) return;
      isFull = true;
      try {
        writeFileSync(onBoard("data", "other"), Buffer.alloc(60 * MB));
      } catch {
        // as much as there was
      }
    };
    const problem = await problemOf(send("s1", part, { onProgress }));
    expect(problem).toMatchObject({
      code: "disk-full",
      title: expect.stringMatching(/MB are needed, \d\.\d MB/),
    });
    expect(problem.raw).toMatch(/no space left/i);
    expect(readdirSync(onBoard("data"))).toEqual(["other"]);
    rmSync(onBoard("data", "other"));
    await send("s1", part);
    expectThere(part, "s1");
  });

  test("a folder that belongs to somebody else is named", async () => {
    mkdirSync(onBoard(), { mode: 0o755 });
    const problem = await problemOf(send("s1", partOf(10)));
    expect(problem.title).toBe("The lab cannot write to its folder on the board");
    expect(problem.raw).toMatch(/permission denied/i);
  });

  test("an id that is no name of a file is refused before anything is done", async () => {
    for (const study of ["../s1", "", "a b", "-rf", ".."]) {
      await expect(send(study, partOf(1))).rejects.toThrow("is not the id of a study");
      await expect(dropPart(connection, study)).rejects.toThrow("is not the id of a study");
    }
    expect(existsSync(onBoard())).toBe(false);
  });

  test("goes with its study: not what another study needs, nor what the lab did not put there", async () => {
    const [mine, shared, theirs] = [partOf(1000), partOf(2000), partOf(3000)];
    const hashes = (...parts: PartFiles[]) => parts.flatMap(({ files }) => files.map((file) => file.sha256));
    const join2 = (a: PartFiles, b: PartFiles): PartFiles => ({
      json: JSON.stringify(hashes(a, b)),
      files: [...a.files, ...b.files],
    });
    await send("s1", join2(mine, shared));
    await send("s2", join2(shared, theirs));
    await connection.run(
      "cd .fedfleet && mkdir -p state/s1 state/s2 run/s1 run/s2 && touch data/notes.npy data/README state/s1/kept run/s1/s:1",
    );
    const half = "0".repeat(64);
    writeFileSync(onBoard("data", `${half}.part`), "half");
    await dropPart(connection, "s1");
    expect(readdirSync(onBoard("data")).sort()).toEqual(
      [...hashes(shared, theirs).map((name) => `${name}.npy`), "README", "notes.npy"].sort(),
    );
    expect(readdirSync(onBoard("parts"))).toEqual(["s2.json"]);
    expect(readdirSync(onBoard("state"))).toEqual(["s2"]);
    expect(readdirSync(onBoard("run"))).toEqual(["s2"]);
    await dropPart(connection, "s1");
    await dropPart(connection, "s2");
    expect(readdirSync(onBoard("data")).sort()).toEqual(["README", "notes.npy"]);
    rmSync(onBoard(), { recursive: true });
    await dropPart(connection, "s2");
    expect(existsSync(onBoard())).toBe(false);
  });

  test("what is on its way for one study does not go with another", async () => {
    const part = partOf(30 * MB);
    await send("s2", partOf(10));
    let dropped: Promise<void> | undefined;
    const onProgress = (done: number) => {
      if (done > MB) dropped ??= dropPart(connection, "s2");
    };
    await send("s1", part, { onProgress });
    await dropped;
    expectThere(part, "s1");
  });

  test("a folder of the board's own: where it is, or what is wrong with it", async () => {
    const { uid, gid } = sshd.users[0]!;
    const folder = join(home(), "my data");
    mkdirSync(folder);
    writeFileSync(join(folder, "x"), "");
    expect(await checkFolder(connection, "my data")).toBe(folder);
    expect(await checkFolder(connection, "~/my data")).toBe(folder);
    expect(await checkFolder(connection, folder)).toBe(folder);
    const titleOf = async (path: string) => (await problemOf(checkFolder(connection, path))).title;
    expect(await titleOf("/nowhere/at all")).toBe("The data folder is not there");
    expect(await titleOf(join(folder, "x"))).toBe("The data folder is not there");
    rmSync(join(folder, "x"));
    expect(await titleOf(folder)).toBe("The data folder is empty");
    chownSync(folder, 0, 0);
    chmodSync(folder, 0o700);
    expect(await titleOf(folder)).toBe("The data folder cannot be read by the user");
    chownSync(folder, uid, gid);
  });
});

describe.skipIf(skip(NO_SSHD))(named("a board without a program to digest files", NO_SSHD), () => {
  test("reads back what was sent", async () => {
    const bin = mkdtempSync(join(tmpdir(), "fedfleet-bin-"));
    chmodSync(bin, 0o755);
    for (const tool of ["sh", "mkdir", "chmod", "df", "stat", "cat", "mv", "rm", "head"]) {
      symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(bin, tool));
    }
    const sshd = await startSshd({ users: [{ password: password.password }], env: { PATH: bin } });
    const lab = createSshLab();
    try {
      await lab.trust(targetOf(sshd));
      const connection = await lab.ssh.connect(targetOf(sshd), password);
      expect((await connection.run("command -v sha256sum")).stdout).toBe("");
      const bytes = randomBytes(3 * MB);
      const path = join(lab.folder, "file");
      writeFileSync(path, bytes);
      const file = { sha256: sha256(bytes), bytes: bytes.length, path };
      await sendPart(connection, "s1", { json: "{}", files: [file] }, { signal: never });
      const there = join(sshd.users[0]!.home, ".fedfleet/data", `${file.sha256}.npy`);
      expect(readFileSync(there).equals(bytes)).toBe(true);
      writeFileSync(path, randomBytes(3 * MB));
      rmSync(there);
      const again = sendPart(connection, "s1", { json: "{}", files: [file] }, { signal: never });
      expect(await problemOf(again)).toMatchObject({ code: "data-damaged" });
      connection.end();
    } finally {
      lab.close();
      await sshd.close();
      rmSync(bin, { recursive: true, force: true });
    }
  });
});
