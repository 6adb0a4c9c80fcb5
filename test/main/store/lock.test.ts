import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UserError } from "#contract/failure.ts";
import { publicCommand } from "#main/store/lock.ts";
import { openStore } from "#main/store/store.ts";
import { temporaryFolder } from "./samples.ts";

const script = join(import.meta.dirname, "hold-store.ts");

let folder: ReturnType<typeof temporaryFolder>;
let children: ChildProcess[];
beforeEach(() => {
  folder = temporaryFolder();
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  folder.remove();
});

const holder = async (): Promise<ChildProcess> => {
  const child = spawn(process.execPath, ["--expose-gc", script, folder.path, "--study", "my study.yaml"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  expect(String(line)).toBe("open\n");
  return child;
};

const refusal = (): UserError => {
  try {
    openStore({ dataDir: folder.path }).close();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error("the directory was given to two");
};

test("a second process is refused with exit code 2 and the first one's name; when that is killed, it gets in", async () => {
  const child = await holder();
  const error = refusal();
  expect(error.exitCode).toBe(2);
  expect(error.message).toContain(folder.path);
  expect(error.message).toContain(`process ${child.pid} (`);
  expect(error.message).toContain("hold-store.ts");
  expect(error.message).toContain("my study.yaml");
  expect(error.message).toMatch(/since \d{4}-\d\d-\d\dT/);
  expect(error.message).toContain(`kill ${child.pid}`);
  expect(error.message).toContain("--data-dir");
  await sleep(300); // a few collections
  // being refused must not loosen the first one's lock
  expect(refusal().message).toBe(error.message);

  child.kill("SIGKILL");
  await once(child, "exit");
  expect(existsSync(join(folder.path, "owner.json"))).toBe(true);
  const store = openStore({ dataDir: folder.path });
  expect(JSON.parse(readFileSync(join(folder.path, "owner.json"), "utf8"))).toMatchObject({
    pid: process.pid,
  });
  store.close();
});

test("the owner's command line keeps its secrets", () => {
  const words = "node cli.ts run a.yaml --join-token abc --listen 0.0.0.0:1 --join-token=abc --json".split(
    " ",
  );
  expect(publicCommand(words)).toBe(
    "node cli.ts run a.yaml --join-token … --listen 0.0.0.0:1 --join-token=… --json",
  );
});

test("this process, too, gets a directory once", () => {
  const store = openStore({ dataDir: folder.path });
  expect(refusal().message).toContain(`process ${process.pid} (`);
  // SQLite shares locks within a process, POSIX drops them when any handle closes: a stranger must still be refused
  const stranger = spawnSync(process.execPath, [script, folder.path], { encoding: "utf8", timeout: 30_000 });
  expect(stranger.status).not.toBe(0);
  expect(stranger.stderr).toContain(`in use by process ${process.pid} (`);
  store.close();
  expect(existsSync(join(folder.path, "owner.json"))).toBe(false);
  openStore({ dataDir: folder.path }).close();
});

test("an owner that cannot be read is no reason to let a second one in, nor to refuse the first", () => {
  const store = openStore({ dataDir: folder.path });
  writeFileSync(join(folder.path, "owner.json"), "{half");
  expect(refusal().message).toContain("that is just starting");
  store.close();
  writeFileSync(join(folder.path, "owner.json"), '{"pid":1,"command":"of yore"}');
  openStore({ dataDir: folder.path }).close();
});

test("a store that fails to open lets the directory go", () => {
  openStore({ dataDir: folder.path }).close();
  const db = new DatabaseSync(join(folder.path, "fedfleet.db"));
  db.exec("PRAGMA user_version = 999");
  db.close();
  for (let i = 0; i < 2; i++) expect(refusal().message).toContain("was written by a newer Fedfleet");
});

test("a file in place of the directory is named", () => {
  const path = join(folder.path, "file");
  writeFileSync(path, "");
  expect(() => openStore({ dataDir: path })).toThrow(UserError);
  expect(() => openStore({ dataDir: path })).toThrow(path);
});
