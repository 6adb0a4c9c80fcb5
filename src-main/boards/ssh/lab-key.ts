import ssh2 from "ssh2";
import { BoardError, type SshConnection } from "#main/boards/board-ports.ts";
import type { Secrets } from "#main/boards/secrets.ts";
import { inSh } from "./shell.ts";

export interface LabKey {
  /** "ssh-ed25519 AAAA… comment"; makes the key where there is none. */
  publicLine(): Promise<string>;
  /** @throws BoardError "secret-missing" where there is none */
  privateKey(): Promise<string>;
  exists(): Promise<boolean>;
  /** Adds the lab's key to the board's authorized keys; doing it again changes nothing. */
  install(connection: SshConnection): Promise<void>;
  /** Removes the line that `install` wrote, and no other. */
  uninstall(connection: SshConnection): Promise<void>;
}

const LAB_KEY_SECRET = "lab-key";
/** Commands and forwarding are all that the lab needs: no terminal, no agent, no X11, no rc file. */
const KEY_OPTIONS = "restrict,port-forwarding";

/** The line comes through standard input, so that no list of processes and no history shows it. */
const INSTALL = `umask 077
IFS= read -r line || exit 3
[ -n "$line" ] || exit 3
d=$HOME/.ssh
f=$d/authorized_keys
mkdir -p -- "$d" || exit 4
if [ -f "$f" ] && grep -qxF -- "$line" "$f"; then exit 0; fi
if [ -s "$f" ] && [ -n "$(tail -c 1 -- "$f")" ]; then printf '\\n' >> "$f" || exit 5; fi
printf '%s\\n' "$line" >> "$f" || exit 5
if command -v restorecon > /dev/null 2>&1; then restorecon -F "$d" "$f" > /dev/null 2>&1; fi
exit 0`;

/** The new file replaces the old one as a whole: a full disk must not lock the user out. */
const UNINSTALL = `umask 077
IFS= read -r line || exit 3
f=$HOME/.ssh/authorized_keys
[ -f "$f" ] || exit 0
grep -qxF -- "$line" "$f" || exit 0
if [ -L "$f" ]; then f=$(readlink -f -- "$f") || exit 4; fi
t=$f.fedfleet-$$
grep -vxF -- "$line" "$f" > "$t"
[ $? -le 1 ] || { rm -f -- "$t"; exit 5; }
mv -f -- "$t" "$f" || { rm -f -- "$t"; exit 5; }
if command -v restorecon > /dev/null 2>&1; then restorecon -F "$f" > /dev/null 2>&1; fi
exit 0`;

/** ssh2 makes about one key in 256 that it cannot read itself: a leading zero is lost. */
const makeKey = (comment: string): { private: string; public: string } => {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519", { comment });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
};

/** The lab's own key: made once, kept with the other secrets, and used at boards instead of a password. */
export const createLabKey = (deps: {
  readonly secrets: Pick<Secrets, "get" | "set">;
  readonly comment: string;
}): LabKey => {
  const { secrets, comment } = deps;
  let making: Promise<string> | undefined;
  const privateOrNew = async (): Promise<string> => {
    const known = await secrets.get(LAB_KEY_SECRET);
    if (known !== undefined) return known;
    making ??= (async () => {
      const made = makeKey(comment).private;
      await secrets.set(LAB_KEY_SECRET, made);
      return made;
    })().finally(() => {
      making = undefined;
    });
    return await making;
  };
  const publicOf = (privateKey: string): string => {
    const key = ssh2.utils.parseKey(privateKey);
    if (key instanceof Error) throw key;
    const { type } = key;
    return `${type} ${key.getPublicSSH().toString("base64")} ${comment}`;
  };
  const change = async (
    connection: SshConnection,
    script: string,
    line: string,
    doing: string,
  ): Promise<void> => {
    const { code, stderr } = await connection.run(inSh(script), { stdin: `${line}\n` });
    if (code === 0) return;
    throw new BoardError({
      code: "key-unreadable",
      title: `The lab's key could not be ${doing}`,
      cause: `~/.ssh/authorized_keys on the board could not be written.`,
      next: "Check the permissions and the free space of the home folder on the board.",
      raw: stderr.trim() || `the command ended with ${code}`,
      actions: [{ do: "retry", label: "Try again" }],
    });
  };
  return {
    publicLine: async () => publicOf(await privateOrNew()),
    async privateKey() {
      const known = await secrets.get(LAB_KEY_SECRET);
      if (known !== undefined) return known;
      throw new BoardError({
        code: "secret-missing",
        title: "The lab's own key is no longer known",
        cause: "It was kept in memory only and the lab has been restarted since, or it cannot be decrypted.",
        next: "Sign in another way once; the lab then makes and installs a new key.",
        actions: [{ do: "sign-in", label: "Sign in" }],
      });
    },
    exists: async () => (await secrets.get(LAB_KEY_SECRET)) !== undefined,
    async install(connection) {
      const line = `${KEY_OPTIONS} ${publicOf(await privateOrNew())}`;
      await change(connection, INSTALL, line, "installed");
    },
    async uninstall(connection) {
      const known = await secrets.get(LAB_KEY_SECRET);
      if (known === undefined) return;
      await change(connection, UNINSTALL, `${KEY_OPTIONS} ${publicOf(known)}`, "removed");
    },
  };
};
