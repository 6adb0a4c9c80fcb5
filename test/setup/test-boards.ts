import { randomBytes } from "node:crypto";
import { canMakeImages, canRunDockerd, type Dockerd, type DockerdOptions, startDockerd } from "./docker.ts";
import { canRunSshd, type Sshd, startSshd } from "./sshd.ts";

/** Whole boards for tests: an account with a password on a real SSH server, and a real Docker Engine that it may use. */

/** Why no boards can be made here; undefined where they can. */
export const canMakeBoards = (options: { readonly namespace?: boolean } = {}): string | undefined =>
  canRunSshd(options) ?? canRunDockerd() ?? canMakeImages();

export interface TestBoardOptions {
  /** A link of its own, which can be cut. */
  readonly namespace?: boolean;
  /** An engine that other boards use, too; default: one of its own. */
  readonly engine?: Dockerd;
  readonly dockerd?: DockerdOptions;
  readonly sudo?: "free" | "password" | "none";
  /** Default: a random name. */
  readonly user?: string;
  /** Lines of its SSH server's configuration. */
  readonly config?: readonly string[];
}

export type TestBoard = Awaited<ReturnType<typeof startTestBoard>>;

export const startTestBoard = async (options: TestBoardOptions = {}) => {
  const engine = options.engine ?? (await startDockerd(options.dockerd));
  const password = randomBytes(9).toString("base64url");
  let sshd: Sshd;
  try {
    sshd = await startSshd({
      users: [
        {
          ...(options.user === undefined ? {} : { name: options.user }),
          password,
          groups: ["docker"],
          sudo: options.sudo ?? "none",
        },
      ],
      ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
      ...(options.config === undefined ? {} : { config: options.config }),
      env: { DOCKER_HOST: `unix://${engine.socket}` },
    });
  } catch (error) {
    if (options.engine === undefined) await engine.close();
    throw error;
  }
  const account = sshd.users[0]!;
  return {
    sshd,
    engine,
    password,
    account,
    /** As one types it. */
    get target() {
      return { host: sshd.host, port: sshd.port, user: account.name };
    },
    /** Containers of any lab there, running or not: their names. */
    containers: async (): Promise<string[]> => {
      const names = await engine.docker(
        "ps",
        "--all",
        "--format",
        "{{.Names}}",
        "--filter",
        "label=org.fedfleet.lab",
      );
      return names === "" ? [] : names.split("\n");
    },
    images: async (): Promise<string[]> => {
      const tags = await engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}", "fedfleet-client");
      return tags === "" ? [] : tags.split("\n");
    },
    async close(): Promise<void> {
      if (options.engine === undefined) await engine.close();
      await sshd.close();
    },
  };
};
