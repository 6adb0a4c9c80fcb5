import type { SignIn } from "#contract/boards.ts";
import { BoardError, type SshConnection } from "./board-ports.ts";
import type { BoardRecord } from "./board-record.ts";
import type { Secrets } from "./secrets.ts";
import type { LabKey } from "./ssh/lab-key.ts";
import type { Ssh } from "./ssh/ssh.ts";

export interface SigningDeps {
  readonly ssh: Pick<Ssh, "connect">;
  readonly labKey: Pick<LabKey, "install" | "uninstall">;
  readonly secrets: Pick<Secrets, "get" | "set" | "delete">;
}

const secretName = (board: string): string => `board/${board}`;

const secretOf = (signIn: SignIn): string | undefined => {
  if (signIn.kind === "password") return signIn.password;
  return signIn.kind === "key" ? signIn.passphrase : undefined;
};

const isRefused = (error: unknown): boolean =>
  error instanceof BoardError && error.problem.code === "sign-in-refused";

/** How the lab signs in at boards: where secrets are, and when the lab's own key takes over. */
export const createSigning = ({ ssh, labKey, secrets }: SigningDeps) => {
  /**
   * How a board was signed in to when the lab's key was installed there: in memory only, and forgotten as soon as the
   * board has accepted the key. Trying the key at once would take a second connection.
   */
  const beforeKey = new Map<string, SignIn>();

  /** @throws BoardError "secret-missing" */
  const of = async ({ name, signIn }: BoardRecord): Promise<SignIn> => {
    if (signIn.kind === "agent" || signIn.kind === "lab-key") return { kind: signIn.kind };
    const secret = await secrets.get(secretName(name));
    if (signIn.kind === "key") return secret === undefined ? signIn : { ...signIn, passphrase: secret };
    if (secret !== undefined) return { kind: "password", password: secret };
    throw new BoardError({
      code: "secret-missing",
      title: "The password is no longer known",
      cause: `The lab kept the password of ${name} in memory only, and has been restarted since.`,
      next: "Sign in again. Let the lab install its own key, and it will not ask again.",
      actions: [{ do: "sign-in", label: "Sign in" }],
    });
  };

  /** Keeps what a board needs of a sign-in's secret, and forgets what it no longer needs. */
  const keep = async (board: string, signIn: SignIn): Promise<void> => {
    if (signIn.kind !== "lab-key") beforeKey.delete(board);
    const secret = secretOf(signIn);
    if (secret === undefined || secret === "") await secrets.delete(secretName(board));
    else await secrets.set(secretName(board), secret);
  };

  return {
    of,
    keep,
    async forget(board: string): Promise<void> {
      beforeKey.delete(board);
      await secrets.delete(secretName(board));
    },
    /**
     * Installs the lab's key over a connection that was signed in to with `used`.
     * @returns how the lab signs in from now on
     * @throws BoardError "key-unreadable"
     */
    async installKey(board: string, connection: SshConnection, used: SignIn): Promise<SignIn> {
      if (used.kind === "lab-key") return used;
      await labKey.install(connection);
      beforeKey.set(board, used);
      return { kind: "lab-key" };
    },
    /**
     * Signs in as the record says. A board that refuses the lab's key although it was installed is signed in to as
     * before; `signIn` says so, and that is how it is signed in to from then on.
     * @throws BoardError
     */
    async connect(
      record: BoardRecord,
      signal: AbortSignal,
    ): Promise<{ readonly connection: SshConnection; readonly signIn?: SignIn }> {
      const { name, target, hostKey: pinned } = record;
      const before = record.signIn.kind === "lab-key" ? beforeKey.get(name) : undefined;
      try {
        const connection = await ssh.connect(target, await of(record), { pinned, signal });
        beforeKey.delete(name);
        return { connection };
      } catch (error) {
        if (before === undefined || !isRefused(error)) throw error;
      }
      const connection = await ssh.connect(target, before, { pinned, signal });
      await labKey.uninstall(connection).catch(() => {});
      await keep(name, before);
      return { connection, signIn: before };
    },
  };
};

export type Signing = ReturnType<typeof createSigning>;
