import { notWritable } from "#main/boards/board-data/data-problems.ts";
import { runScript } from "#main/boards/board-data/remote-script.ts";
import { checkId } from "#main/boards/board-data/send-part.ts";
import { BOARD_FOLDERS, type SshConnection } from "#main/boards/board-ports.ts";

const { data, parts, run, state } = BOARD_FOLDERS;

export interface PreparedBoard {
  readonly uid: number;
  readonly gid: number;
  /** Numbers of the groups that own GPU devices, where the board has such. */
  readonly gpuGroups: readonly string[];
  readonly folders: {
    readonly run: string;
    readonly data: string;
    readonly parts: string;
    readonly state: string;
  };
  /** How many processes the kernel has killed for lack of memory since boot, where it counts them. */
  readonly oomKills: number | undefined;
}

const COUNT_OOM = `while read -r name value; do [ "$name" = oom_kill ] && say oom "$value"; done </proc/vmstat`;

/** Creates a study's folders, and finds out who will own what the client writes. */
export const prepareBoard = async (
  connection: SshConnection,
  study: string,
  signal: AbortSignal,
): Promise<PreparedBoard> => {
  const { said, code, stderr } = await runScript(
    connection,
    `mkdir -p ${data} ${parts} "${run}/$STUDY" "${state}/$STUDY" || exit 91
chmod 700 "${run}/$STUDY" "${state}/$STUDY"
say uid "$(id -u)"
say gid "$(id -g)"
for group in video render; do
  grep -m 1 "^$group:" /etc/group | { IFS=: read -r _ _ id _ && say group "$id"; }
done
${COUNT_OOM}
say home "$PWD"
exit 0`,
    { STUDY: checkId(study) },
    { signal, words: 2 },
  );
  if (code !== 0) throw notWritable(stderr.trim());
  const value = (name: string): string | undefined => said.find(([word]) => word === name)?.[1];
  const home = value("home") ?? "";
  return {
    uid: Number(value("uid")),
    gid: Number(value("gid")),
    gpuGroups: said.flatMap(([word, id]) => (word === "group" && id !== undefined ? [id] : [])),
    folders: {
      run: `${home}/${run}/${study}`,
      data: `${home}/${data}`,
      parts: `${home}/${parts}`,
      state: `${home}/${state}/${study}`,
    },
    oomKills: numberOf(value("oom")),
  };
};

export const countOomKills = async (connection: SshConnection): Promise<number | undefined> => {
  const { said } = await runScript(connection, `${COUNT_OOM}\nexit 0`, {}, { timeoutMs: 5000 });
  return numberOf(said.find(([word]) => word === "oom")?.[1]);
};

const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
