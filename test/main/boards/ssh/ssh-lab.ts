import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { BoardProblem, BoardTarget } from "#contract/boards.ts";
import { BoardError } from "#main/boards/board-ports.ts";
import { openSecrets } from "#main/boards/secrets.ts";
import { openKnownHosts } from "#main/boards/ssh/known-hosts.ts";
import { createLabKey } from "#main/boards/ssh/lab-key.ts";
import { createSsh } from "#main/boards/ssh/ssh.ts";
import { canRunSshd, type Sshd } from "#test/setup/sshd.ts";

/** Without sshd these tests are skipped, and say why; in CI they fail instead. */
export const NO_SSHD = canRunSshd();
export const NO_NAMESPACE = canRunSshd({ namespace: true });
export const skip = (reason: string | undefined): boolean =>
  reason !== undefined && process.env.CI !== "true";
export const named = (title: string, reason: string | undefined): string =>
  reason === undefined ? title : `${title} (${reason})`;

/** The SSH side of a lab, with a home folder of its own in the place of the user's. */
export const createSshLab = (options: { readonly agentSocket?: string } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "fedfleet-ssh-"));
  const secrets = openSecrets({ path: join(folder, "secrets.json") });
  const labKey = createLabKey({ secrets, comment: "fedfleet-test" });
  const knownHosts = join(folder, "known_hosts");
  const ssh = createSsh({
    knownHosts: openKnownHosts(knownHosts),
    labKey,
    configPath: join(folder, ".ssh", "config"),
    ...options,
  });
  return {
    folder,
    secrets,
    labKey,
    knownHosts,
    ssh,
    trust: async (target: BoardTarget) => {
      const { host, port, key } = await ssh.reach(target);
      await ssh.trust(host, port, key.fingerprint);
      return key;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
};

export const targetOf = (sshd: Sshd) => ({
  host: sshd.host,
  port: sshd.port,
  user: sshd.users[0]!.name,
});

/** The problem that it ends with. */
export const problemOf = async (work: Promise<unknown>): Promise<BoardProblem> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof BoardError) return error.problem;
    throw error;
  }
  throw new Error("it went well, but should not");
};

/** What sshd has noted of attempts to sign in, once it has had the time to. */
export const attempts = async (sshd: Sshd): Promise<string[]> => {
  await wait(120);
  return sshd
    .log()
    .split("\n")
    .filter((line) =>
      /^(Accepted|Failed|Postponed|Invalid user|userauth)|PAM: Auth|authenticating user/.test(line),
    );
};
