import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createUserConfig, readDestination } from "#main/boards/ssh/user-config.ts";
import { problemOf } from "./ssh-lab.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "fedfleet-home-"));
  mkdirSync(join(home, ".ssh"));
  return () => rmSync(home, { recursive: true, force: true });
});
const config = (text: string, files: Readonly<Record<string, string>> = {}) => {
  const path = join(home, ".ssh", "config");
  writeFileSync(path, text);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(home, ".ssh", name, ".."), { recursive: true });
    writeFileSync(join(home, ".ssh", name), content);
  }
  return createUserConfig(path);
};
const board = async (text: string, host: string, more = {}) =>
  (await config(text).route({ host, ...more })).board;

test("without a file, OpenSSH's defaults", async () => {
  const none = createUserConfig(join(home, ".ssh", "config"));
  expect(await none.route({ host: "10.0.0.7" })).toEqual({
    board: { host: "10.0.0.7", port: 22, user: userInfo().username, identityFiles: [] },
    jumps: [],
  });
  expect(await none.entries()).toEqual([]);
});

test("an alias brings address, port, user and key; what is said here wins", async () => {
  const text = `
# boards of the lab
host Nano xavier
	hostname = 10.0.0.%%7
  PORT 2222
  User "jetson"
  IdentityFile ~/.ssh/%r-at-%h
  IdentityFile "%d/keys/my key"
Host *
  User pi
  IdentityFile ~/.ssh/common
  IdentityFile none`;
  expect(await board(text, "xavier")).toEqual({
    host: "10.0.0.%7",
    port: 2222,
    user: "jetson",
    identityFiles: [
      join(home, ".ssh/jetson-at-10.0.0.%7"),
      join(home, "keys/my key"),
      join(home, ".ssh/common"),
    ],
  });
  expect(await board(text, "xavier", { port: 22, user: "root" })).toMatchObject({ port: 22, user: "root" });
  expect(await board(text, "10.0.0.9")).toMatchObject({ host: "10.0.0.9", port: 22, user: "pi" });
  expect(await board("Host *\n  HostName %h.lab\n", "pi4")).toMatchObject({ host: "pi4.lab" });
});

test("patterns, exceptions and Match by host; no command is run", async () => {
  const text = `
Host pi* !pi-old
  User boards
Match host 10.1.* exec "touch ${join(home, "ran")}"
  User ran
Match originalhost special
  Port 99`;
  expect((await board(text, "pi-7")).user).toBe("boards");
  expect((await board(text, "pi-old")).user).not.toBe("boards");
  expect((await board(text, "10.1.2.3")).user).not.toBe("ran");
  expect((await board(text, "special")).port).toBe(99);
  expect(() => rmSync(join(home, "ran"))).toThrow("ENOENT");
});

test("included files, also in the middle of a block", async () => {
  const made = config("Include conf.d/*.conf none\nHost last\n  Include more\n  Port 7\n", {
    "conf.d/a.conf": "Host a\n  HostName 10.0.0.1\n",
    "conf.d/b.conf": "Host b\n  HostName 10.0.0.2\n",
    more: "User included\n",
  });
  expect((await made.route({ host: "b" })).board.host).toBe("10.0.0.2");
  expect((await made.route({ host: "last" })).board).toMatchObject({ user: "included", port: 7 });
  expect((await made.entries()).map(({ alias }) => alias)).toEqual(["a", "b", "last"]);
  const circle = config("Include config\n");
  expect((await problemOf(circle.entries())).cause).toContain("include each other");
});

test("the entries are the names of single hosts", async () => {
  const made = config(
    "Host nano pi-*\n  HostName 10.0.0.7\n  User jetson\n  ProxyJump gate\nHost gate\n  Port 2200\nHost * !x\n  Compression yes\n",
  );
  expect(await made.entries()).toEqual([
    { alias: "nano", host: "10.0.0.7", port: 22, user: "jetson", jump: "gate" },
    { alias: "gate", host: "gate", port: 2200 },
  ]);
});

test("jump hosts: chains, their own entries, circles", async () => {
  const text = `
Host board
  ProxyJump first,me@second:2222
Host first
  HostName first.lab
  User gatekeeper
  ProxyJump outer
Host round
  ProxyJump other
Host other
  ProxyJump round
Host direct
  ProxyJump none
  ProxyCommand none`;
  const { jumps } = await config(text).route({ host: "board" });
  expect(jumps.map(({ host, port, user }) => `${user}@${host}:${port}`)).toEqual([
    `${userInfo().username}@outer:22`,
    "gatekeeper@first.lab:22",
    "me@second:2222",
  ]);
  expect((await config(text).route({ host: "direct" })).jumps).toEqual([]);
  expect((await problemOf(config(text).route({ host: "round" }))).cause).toContain("circle");
});

test("what cannot be used is said", async () => {
  const command = await problemOf(config("Host *\n  ProxyCommand nc %h %p\n").route({ host: "x" }));
  expect(command).toMatchObject({ code: "bad-configuration", next: expect.stringContaining("ProxyJump") });
  expect(command.raw).toContain("nc %h %p");
  expect((await problemOf(config("Host x\n  Port many\n").route({ host: "x" }))).cause).toContain("many");
  const broken = await problemOf(config('Host x\n  User "open\n').entries());
  expect(broken.title).toContain(join(home, ".ssh", "config"));
});

test.each([
  ["pi@10.0.0.7", { user: "pi", host: "10.0.0.7" }],
  ["10.0.0.7:2222", { host: "10.0.0.7", port: 2222 }],
  ["ssh://a@b@host:22/", { user: "a@b", host: "host", port: 22 }],
  ["[fe80::1]:22", { host: "fe80::1", port: 22 }],
  ["fe80::1", { host: "fe80::1" }],
])("%s", (text, target) => {
  expect(readDestination(text)).toEqual(target);
});
