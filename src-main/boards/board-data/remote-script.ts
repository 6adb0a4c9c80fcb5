import type { Ran, RunOptions, SshConnection } from "#main/boards/board-ports.ts";
import { quote } from "#main/boards/ssh/shell.ts";

const MARK = "@@";

export interface ScriptRan extends Ran {
  /** What followed `say` on lines of its own, word by word; whatever else a login shell prints is not among them. */
  readonly said: readonly (readonly string[])[];
}

/**
 * Runs a POSIX script on the board, whatever the user's login shell is. It begins in the home folder, with `values` as
 * variables, and reports its results with `say`; a file name's spaces are kept in the last word of a line only.
 *
 * @param words how many words a line has at most: the last one takes the rest of the line
 * @throws BoardError as `run` does
 */
export const runScript = async (
  connection: SshConnection,
  script: string,
  values: Readonly<Record<string, string>> = {},
  options: Omit<RunOptions, "stdin"> & { readonly words?: number } = {},
): Promise<ScriptRan> => {
  const { words = 4, ...how } = options;
  const text = [
    `say() { printf '${MARK} %s\\n' "$*"; }`,
    ...Object.entries(values).map(([name, value]) => `${name}=${quote(value)}`),
    // In braces, all of it is read before it runs; its commands must not read the rest of it as their input.
    "{",
    "umask 077",
    'cd "$HOME" || exit 90',
    script,
    "} </dev/null",
    "",
  ].join("\n");
  const ran = await connection.run("exec sh -s", { ...how, stdin: text });
  const said = ran.stdout
    .split("\n")
    .filter((line) => line.startsWith(`${MARK} `))
    .map((line) => firstWords(line.slice(MARK.length + 1), words));
  return { ...ran, said };
};

const firstWords = (line: string, words: number): string[] => {
  const all = line.split(" ");
  return all.length <= words ? all : [...all.slice(0, words - 1), all.slice(words - 1).join(" ")];
};
