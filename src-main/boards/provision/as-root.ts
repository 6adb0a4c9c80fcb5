import type { BoardFacts } from "#contract/boards.ts";
import { BoardError, type Ran, type SshConnection } from "#main/boards/board-ports.ts";
import { isDiskFull, sentence } from "#main/boards/docker/engine-problems.ts";
import { inSh, quote } from "#main/boards/ssh/shell.ts";

/** Runs commands with administrator rights. */
export interface Root {
  /**
   * @param lines shell commands, each of which must succeed
   * @throws BoardError "sudo-password", "sudo-refused", "sudo-locked", "busy", "disk-full", or `failed` with what was said
   */
  run(lines: readonly string[], failed: (raw: string) => BoardError): Promise<void>;
}

export interface RootOptions {
  readonly connection: SshConnection;
  readonly sudo: BoardFacts["sudo"];
  readonly user: string;
  /** Goes to sudo over its standard input, nowhere else. */
  readonly password: string | undefined;
  readonly signal: AbortSignal;
  say(...lines: readonly string[]): void;
}

/** A system update may hold the package manager this long. */
const LONGEST_MS = 30 * 60 * 1000;

const ASK = { do: "ask-sudo", label: "Enter the password" } as const;

const passwordWanted = (user: string, wrong: boolean, raw?: string): BoardError =>
  new BoardError({
    code: "sudo-password",
    title: wrong ? "sudo refused this password" : "Administrator rights are needed",
    cause: wrong
      ? `It is not the password of ${user}, or sudo expects another one.`
      : `This step runs with sudo, which asks for the password of ${user}.`,
    next: "Enter it. It is used for this step only and not stored.",
    ...(raw === undefined ? {} : { raw }),
    actions: [ASK],
  });

const refused = (user: string, raw: string): BoardError =>
  new BoardError({
    code: "sudo-refused",
    title: `${user} has no administrator rights`,
    cause: `sudo does not let ${user} do this on the board.`,
    next: "Let an administrator of the board run the commands that are shown, or give this user the right to use sudo; then try again.",
    raw,
    actions: [{ do: "retry", label: "Try again" }],
  });

const locked = (user: string, raw: string): BoardError =>
  new BoardError({
    code: "sudo-locked",
    title: "sudo is locked",
    cause: `The board has locked ${user} out after wrong passwords, or the account or its password is locked or has expired.`,
    next: `Wait a few minutes, or let an administrator unlock it on the board; then try again.`,
    raw,
    actions: [
      { do: "retry", label: "Try again" },
      {
        do: "show-commands",
        label: "Show how to unlock",
        commands: [`sudo faillock --user ${user} --reset`, `sudo passwd -S ${user}`, `sudo chage -l ${user}`],
      },
    ],
  });

const busy = (raw: string): BoardError =>
  new BoardError({
    code: "busy",
    title: "The board is installing something else",
    cause:
      "Another program is using the package manager: boards often update themselves for some minutes after they start.",
    next: "Wait until it is done, then try again.",
    raw,
    actions: [{ do: "retry", label: "Try again" }],
  });

/** What the commands printed last, as a sentence; they themselves are shown beside it. */
export const itSaid = (raw: string): string => {
  const last = raw.split("\n").findLast((line) => line.trim() !== "" && !line.startsWith("$ "));
  return last === undefined ? "The command did not say why." : `It said: ${sentence(last)}`;
};

/** Why sudo itself did not do it; undefined where it did, and a command failed. */
export const sudoProblem = (said: string, user: string, hadPassword: boolean): BoardError | undefined => {
  const raw = said.slice(-2000);
  if (
    /account (is )?(temporarily )?locked|faillock|(account|password) (has |is )?expired|account validation failure/i.test(
      said,
    )
  ) {
    return locked(user, raw);
  }
  if (
    /not in the sudoers|not allowed to (execute|run)|may not run sudo|sudo: not found|no new privileges/i.test(
      said,
    )
  ) {
    return refused(user, raw);
  }
  if (/incorrect password|Sorry, try again|no password was provided|Authentication failure/i.test(said)) {
    return passwordWanted(user, hadPassword, raw);
  }
  if (/a (terminal|password) is required|a tty/i.test(said)) return passwordWanted(user, false, raw);
  return undefined;
};

/** sudo keeps to itself why it refuses a password: a locked account looks like a wrong one. */
const LOCKED = inSh(`PATH=$PATH:/usr/sbin:/sbin; export LC_ALL=C
case $(passwd -S 2>/dev/null) in *' L '*|*' LK '*) echo "passwd: the password is locked";; esac
if command -v faillock >/dev/null; then
  deny=$(grep -hoE '^ *deny *= *[0-9]+|pam_faillock.* deny=[0-9]+' /etc/security/faillock.conf /etc/pam.d/* 2>/dev/null | grep -oE '[0-9]+$' | sort -n | tail -n 1)
  failed=$(faillock --user "$(id -un)" 2>/dev/null | grep -c 'V *$')
  [ "$failed" -lt "\${deny:-3}" ] || echo "faillock: locked after $failed wrong passwords"
fi`);

const whetherLocked = async (connection: SshConnection): Promise<string> => {
  const ran = await connection.run(LOCKED, { timeoutMs: 10_000 }).catch(() => undefined);
  return ran?.stdout.trim() ?? "";
};

const aptIsBusy = (said: string): boolean =>
  /Could not get lock|Unable to (acquire|lock)|dpkg frontend lock|is held by process/i.test(said);

export const createRoot = (options: RootOptions): Root => {
  const { connection, sudo, user, password, signal } = options;

  const attempt = async (script: string): Promise<Ran> => {
    const by = { root: "", none: "", free: "sudo -n ", password: "sudo -S -p '' " }[sudo];
    const unseen = (text: string): string =>
      password === undefined || password === "" ? text : text.replaceAll(password, "•••");
    let rest = "";
    const ran = await connection.run(inSh(`exec env LC_ALL=C ${by}sh -c ${quote(script)}`), {
      ...(sudo === "password" ? { stdin: `${password}\n` } : {}),
      timeoutMs: LONGEST_MS,
      signal,
      onOutput(text) {
        const lines = (rest + unseen(text)).split(/\r\n|[\r\n]/);
        rest = lines.pop() ?? "";
        if (lines.length > 0) options.say(...lines.filter((line) => line.trim() !== ""));
      },
    });
    if (rest.trim() !== "") options.say(rest);
    return { ...ran, stdout: unseen(ran.stdout), stderr: unseen(ran.stderr) };
  };

  return {
    async run(lines, failed) {
      if (sudo === "none") throw refused(user, "");
      if (sudo === "password" && (password === undefined || password === ""))
        throw passwordWanted(user, false);
      // Each line is shown as it is run, as a person would see it in a terminal.
      const script = [
        // Where sudo wants no password just now, the one that was sent must not reach a command.
        "exec </dev/null",
        "set -e",
        ...lines.flatMap((line) => [`printf '%s\\n' ${quote(`$ ${line}`)}`, line]),
      ].join("\n");
      const ran = await attempt(script);
      if (ran.code === 0) return;
      const said = `${ran.stdout.slice(-4000)}\n${ran.stderr.slice(-4000)}`.trim();
      // sudo speaks before the first command is shown.
      const bySudo =
        ran.stdout.includes("$ ") || sudo === "root"
          ? undefined
          : sudoProblem(ran.stderr, user, password !== undefined);
      if (bySudo?.problem.code === "sudo-password") {
        const why = await whetherLocked(connection);
        if (why !== "") throw locked(user, `${why}\n${ran.stderr.slice(-1000)}`);
      }
      if (bySudo !== undefined) throw bySudo;
      if (aptIsBusy(said)) throw busy(said.slice(-2000));
      if (isDiskFull(said)) {
        throw new BoardError({
          code: "disk-full",
          title: "The board's disk is full",
          cause: `It said: ${sentence(said.split("\n").find(isDiskFull) ?? said)}`,
          next: "Free some space on the board, then try again.",
          raw: said.slice(-2000),
          actions: [
            { do: "retry", label: "Try again" },
            {
              do: "show-commands",
              label: "Show what takes space",
              commands: ["df -h", "sudo apt-get clean"],
            },
          ],
        });
      }
      if (
        /Temporary failure (resolving|in name resolution)|Could not resolve|Unable to fetch|Failed to fetch|Network is unreachable/i.test(
          said,
        )
      ) {
        throw new BoardError({
          code: "no-internet",
          title: "The board cannot download packages",
          cause: "Its package manager could not reach its sources.",
          next: "Check that the board is connected to the internet, or install the package by hand.",
          raw: said.slice(-2000),
          actions: [{ do: "retry", label: "Try again" }],
        });
      }
      throw failed(said.slice(-2000));
    },
  };
};
