import { BOARD_FOLDERS, type SshConnection } from "#main/boards/board-ports.ts";
import { notWritable } from "./data-problems.ts";
import { runScript } from "./remote-script.ts";
import { checkId } from "./send-part.ts";

const { root, data, parts, state, run } = BOARD_FOLDERS;

/**
 * Removes a study's part from a board: its text, its state, its folder of sockets, and data files that no other part
 * names. Does nothing where none of it is there.
 *
 * @throws BoardError "connection-lost"; "disk-full" where something cannot be removed
 */
export const dropPart = async (connection: SshConnection, study: string): Promise<void> => {
  const { code, stderr } = await runScript(
    connection,
    `[ -d ${root} ] || exit 0
rm -rf "${parts}/$STUDY.json" "${parts}/$STUDY.json.new" "${state}/$STUDY" "${run}/$STUDY" || exit 92
cd ${data} 2>/dev/null || exit 0
# All names that parts still use, read once: a grep per file would read every part again for each file.
named=$(cat "$HOME/${parts}"/*.json "$HOME/${parts}"/*.json.new 2>/dev/null | grep -oE '[0-9a-f]{64}')
status=0
for file in *.npy *.part; do
  name=\${file%.*}
  [ -f "$file" ] && [ "\${#name}" = 64 ] || continue
  case $name in *[!0-9a-f]*) continue ;; esac
  case $named in *"$name"*) ;; *) rm -f "$file" || status=92 ;; esac
done
exit $status`,
    { STUDY: checkId(study) },
    { timeoutMs: 120_000 },
  );
  if (code !== 0) throw notWritable(stderr.trim());
};
