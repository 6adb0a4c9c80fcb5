import type { BoardTarget, HostKey, SignIn } from "#contract/boards.ts";
import type { BoardRecord } from "./board.ts";
import { BoardError, type SshConnection } from "./board-ports.ts";
import type { Secrets } from "./secrets.ts";
import type { LabKey } from "./ssh/lab-key.ts";
import { changedKey, newKey } from "./ssh/problems.ts";
import type { Ssh } from "./ssh/ssh.ts";

export interface SigningDeps {
  readonly ssh: Pick<Ssh, "connect" | "reach">;
  readonly labKey: Pick<LabKey, "install" | "uninstall">;
  readonly secrets: Pick<Secrets, "get" | "set" | "delete">;
}

/** What may be on record of how one signs in. */
export const withoutSecret = (signIn: SignIn): BoardRecord["signIn"] =>
  signIn.kind === "key" ? { kind: "key", path: signIn.path } : { kind: signIn.kind };

/** How boards are signed in to: whose key is trusted, where secrets are, when the lab's own key takes over. */
export const createSigning = ({ ssh, labKey, secrets }: SigningDeps) => {
  const secretName = (board: string): string => `board/${board}`;
  const of = async (record: BoardRecord): Promise<SignIn> => {
    const { signIn } = record;
    if (signIn.kind === "agent") return { kind: "agent" };
    if (signIn.kind === "lab-key") return { kind: "lab-key" };
    const secret = await secrets.get(secretName(record.name));
    if (signIn.kind === "key") {
      return secret === undefined ? signIn : { ...signIn, passphrase: secret };
    }
    if (secret !== undefined) return { kind: "password", password: secret };
    throw new BoardError({
      code: "secret-missing",
      title: "Its password is not known any more",
      cause: `The lab kept the password of ${record.name} in memory only, and was started again since.`,
      next: "Sign in again; let the lab install its own key to be asked no more.",
      actions: [{ do: "sign-in", label: "Sign in" }],
    });
  };
  const keep = async (name: string, signIn: SignIn): Promise<void> => {
    const secret =
      signIn.kind === "password" ? signIn.password : signIn.kind === "key" ? signIn.passphrase : undefined;
    if (secret === undefined || secret === "") await secrets.delete(secretName(name));
    else await secrets.set(secretName(name), secret);
  };

  /** Signs in, and leaves the lab's key there where it should. */
  const signInAt = async (
    target: BoardTarget,
    signIn: SignIn,
    pinned: HostKey,
    installKey: boolean,
  ): Promise<{ connection: SshConnection; signIn: SignIn }> => {
    const connection = await ssh.connect(target, signIn, { pinned });
    if (!installKey || signIn.kind === "lab-key") return { connection, signIn };
    try {
      await labKey.install(connection);
    } catch (error) {
      connection.end();
      throw error;
    }
    // What was installed is tried before the password is forgotten.
    const own: SignIn = { kind: "lab-key" };
    try {
      const again = await ssh.connect(target, own, { pinned });
      connection.end();
      return { connection: again, signIn: own };
    } catch (error) {
      await labKey.uninstall(connection).catch(() => {});
      connection.end();
      throw error;
    }
  };

  const trustedKey = async (target: BoardTarget): Promise<HostKey> => {
    const reached = await ssh.reach(target);
    if (reached.trust === "known" && !reached.isJump) return reached.key;
    throw new BoardError(
      reached.trust === "changed"
        ? changedKey(reached, reached.key, reached.known ?? [])
        : newKey(reached, reached.key, reached.isJump),
    );
  };

  return {
    of,
    keep,
    forget: (name: string): Promise<void> => secrets.delete(secretName(name)),
    signInAt,
    trustedKey,
  };
};
