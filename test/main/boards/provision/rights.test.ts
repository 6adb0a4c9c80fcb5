import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sudoProblem } from "#main/boards/provision/as-root.ts";
import { writeScripts } from "#test/main/boards/docker/docker-lab.ts";
import { named, skip } from "#test/main/boards/ssh/ssh-lab.ts";
import { canMakeBoards } from "#test/setup/test-boards.ts";
import { createProvisionLab, states, stepOf, TRIAL } from "./provision-lab.ts";

const NO_BOARDS = canMakeBoards();
const AGREED = { agreed: ["docker-group"], steps: ["docker-group"] } as const;
const groupsOf = (user: string): string => spawnSync("id", ["-nG", user], { encoding: "utf8" }).stdout;

describe.skipIf(skip(NO_BOARDS))(named("what needs administrator rights", NO_BOARDS), () => {
  const scripts = writeScripts(TRIAL);
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-rights-"));
  const pam = join(folder, "pam-sudo");
  const make = () =>
    createProvisionLab(
      {
        asked: { scripts: scripts.folder, sudo: "password" },
        free: { scripts: scripts.folder, sudo: "free" },
        locked: { scripts: scripts.folder, sudo: "password" },
        shut: { scripts: scripts.folder, sudo: "password" },
        expired: { scripts: scripts.folder, sudo: "password" },
        renewed: { scripts: scripts.folder, sudo: "password" },
        none: { scripts: scripts.folder },
        /** As if it had been a member of sudo when it was looked at. */
        dismissed: { scripts: scripts.folder, see: (facts) => ({ ...facts, sudo: "password" }) },
      },
      { bind: { "/etc/pam.d/sudo": pam } },
    );
  let lab: Awaited<ReturnType<typeof make>>;
  beforeAll(async () => {
    // As administrators set it up against guessing: three wrong passwords lock the account for ten minutes.
    const lock = `deny=3 unlock_time=600 nodelay`;
    writeFileSync(
      pam,
      [
        `auth required pam_faillock.so preauth ${lock}`,
        "auth [success=1 default=ignore] pam_unix.so nodelay",
        `auth [default=die] pam_faillock.so authfail ${lock}`,
        `auth sufficient pam_faillock.so authsucc ${lock}`,
        "auth required pam_deny.so",
        "account required pam_unix.so",
        "session required pam_permit.so",
        "",
      ].join("\n"),
    );
    lab = await make();
    await lab.dockerd.loadBase();
  }, 60_000);
  afterAll(async () => {
    for (const { name } of lab?.sshd.users ?? []) rmSync(`/var/run/faillock/${name}`, { force: true });
    await lab?.close();
    scripts.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("an account outside the docker group is asked for its word, then for its password", async () => {
    const board = await lab.boardOf("asked");
    const plan = await board.look();
    expect(states(plan)).toMatchObject({ "docker-group": "open", image: "blocked", "self-test": "blocked" });
    expect(stepOf(plan, "docker-group")).toMatchObject({
      needsSudo: true,
      consent: expect.stringMatching(/docker group.*root/),
      commands: ["groupadd -f docker", `usermod -aG docker ${board.account.name}`],
    });

    const unasked = await board.run({ sudoPassword: lab.password });
    expect(stepOf(unasked, "docker-group")).toMatchObject({
      state: "failed",
      problem: { code: "cancelled" },
    });
    const without = await board.run(AGREED);
    expect(stepOf(without, "docker-group").problem).toMatchObject({
      code: "sudo-password",
      title: "Administrator rights are needed",
      actions: [{ do: "ask-sudo" }],
    });
    const wrong = await board.run({ ...AGREED, sudoPassword: "not-this-one" });
    expect(stepOf(wrong, "docker-group").problem).toMatchObject({
      code: "sudo-password",
      title: "sudo refused this password",
    });
    expect(JSON.stringify(board.told)).not.toContain("not-this-one");
    expect(groupsOf(board.account.name)).not.toContain("docker");
  });

  test("it is added, signs in anew, and is ready; taken back, it may no more", async () => {
    const board = await lab.boardOf("asked");
    const plan = await board.run({ agreed: ["docker-group"], sudoPassword: lab.password });
    expect(plan.steps.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(plan.ready).toBe(true);
    expect(board.signIns()).toBe(2);
    expect(groupsOf(board.account.name)).toContain("docker");
    const step = stepOf(plan, "docker-group");
    expect(step).toMatchObject({ state: "done", canUndo: true });
    expect(step.output).toContain(`$ usermod -aG docker ${board.account.name}`);
    // The password is nowhere: not in what was shown, not in what is kept on the board.
    expect(JSON.stringify(board.told)).not.toContain(lab.password);
    const root = join(board.account.home, ".fedfleet");
    expect(readdirSync(join(root, "done"))).toContain("docker-group");

    expect(await board.run({ sudoPassword: lab.password })).toMatchObject({ ready: true });
    expect(board.told).toEqual([]);

    const undone = await board.undo("docker-group", { sudoPassword: lab.password });
    expect(states(undone)).toMatchObject({ "docker-group": "open", image: "blocked" });
    expect(groupsOf(board.account.name)).not.toContain("docker");
    expect(existsSync(join(root, "done", "docker-group"))).toBe(false);
  });

  test("sudo without a password needs none", async () => {
    const board = await lab.boardOf("free");
    expect(stepOf(await board.run(AGREED), "docker-group").state).toBe("done");
  });

  test("an account that was never added by the lab is not taken out", async () => {
    const board = await lab.boardOf("free");
    await (await board.board.connection()).run("rm -r ~/.fedfleet/done");
    expect(stepOf(await board.look(), "docker-group")).toMatchObject({ state: "done", canUndo: false });
  });

  test("three wrong passwords lock sudo, and that is said as such", async () => {
    const board = await lab.boardOf("locked");
    const code = async (sudoPassword: string) =>
      stepOf(await board.run({ ...AGREED, sudoPassword }), "docker-group").problem?.code;
    expect(await code("wrong-1")).toBe("sudo-password");
    let last: string | undefined;
    for (let turn = 2; turn <= 4 && last !== "sudo-locked"; turn++) last = await code(`wrong-${turn}`);
    expect(last).toBe("sudo-locked");
    const plan = await board.run({ ...AGREED, sudoPassword: lab.password });
    expect(stepOf(plan, "docker-group").problem).toMatchObject({
      code: "sudo-locked",
      raw: expect.stringMatching(/locked/),
      actions: [
        { do: "retry" },
        {
          do: "show-commands",
          commands: expect.arrayContaining([`sudo faillock --user ${board.account.name} --reset`]),
        },
      ],
    });
    expect(groupsOf(board.account.name)).not.toContain("docker");
  });

  test("an account that an administrator has locked is not a wrong password", async () => {
    const board = await lab.boardOf("shut");
    expect(spawnSync("passwd", ["-l", board.account.name]).status).toBe(0);
    const plan = await board.run({ ...AGREED, sudoPassword: lab.password });
    expect(stepOf(plan, "docker-group").problem).toMatchObject({
      code: "sudo-locked",
      raw: expect.stringContaining("the password is locked"),
    });
  });

  test("an expired account, a password that has to be changed: locked too", async () => {
    for (const [name, args] of [
      ["expired", ["-E", "1"]],
      ["renewed", ["-d", "0"]],
    ] as const) {
      const board = await lab.boardOf(name);
      expect(spawnSync("chage", [...args, board.account.name]).status).toBe(0);
      const plan = await board.run({ ...AGREED, sudoPassword: lab.password });
      expect(stepOf(plan, "docker-group").problem).toMatchObject({
        code: "sudo-locked",
        raw: expect.stringMatching(/expired|change/i),
      });
    }
  });

  test("who is no administrator is told so, at once or by sudo", async () => {
    const never = await lab.boardOf("none");
    expect(never.board.facts().sudo).toBe("none");
    const plan = await never.run(AGREED);
    expect(stepOf(plan, "docker-group").problem).toMatchObject({ code: "sudo-refused" });

    const dismissed = await lab.boardOf("dismissed");
    const said = await dismissed.run({ ...AGREED, sudoPassword: lab.password });
    expect(stepOf(said, "docker-group").problem).toMatchObject({
      code: "sudo-refused",
      raw: expect.stringMatching(/not in the sudoers file|may not run sudo/),
    });
  });
});

test.each([
  ["sudo: 3 incorrect password attempts", "sudo-password"],
  ["Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt", "sudo-password"],
  ["sudo: a terminal is required to read the password; either use the -S option", "sudo-password"],
  ["sudo: a password is required", "sudo-password"],
  ["pi is not in the sudoers file.  This incident will be reported.", "sudo-refused"],
  ["pi is not in the sudoers file.", "sudo-refused"],
  ["Sorry, user pi is not allowed to execute '/usr/bin/sh -c id' as root on raspberrypi.", "sudo-refused"],
  ["Sorry, user pi may not run sudo on raspberrypi.", "sudo-refused"],
  ["sh: 1: sudo: not found", "sudo-refused"],
  ['sudo: The "no new privileges" flag is set, which prevents sudo from running as root.', "sudo-refused"],
  ["The account is locked due to 3 failed logins.\n(10 minutes left to unlock)", "sudo-locked"],
  ["Account temporarily locked due to 3 failed logins", "sudo-locked"],
  ["sudo: account validation failure, is your account locked?", "sudo-locked"],
  ["sudo: Account or password is expired, reset your password and try again", "sudo-locked"],
  ["sudo: Password expired, contact your system administrator", "sudo-locked"],
  [
    'sudo: Account expired or PAM config lacks an "account" section for sudo, contact your system administrator',
    "sudo-locked",
  ],
  ["E: Unable to locate package docker.io", undefined],
  ["", undefined],
])("sudo says %j: %s", (said, code) => {
  expect(sudoProblem(said, "pi", true)?.problem.code).toBe(code);
});
