import { runScript } from "#main/boards/board-data/remote-script.ts";
import { BOARD_FOLDERS, type SshConnection } from "#main/boards/board-ports.ts";

/** What the lab itself did on a board is noted there, so that it is undone only if it was the lab's. */
const FOLDER = `${BOARD_FOLDERS.root}/done`;

/** @param name letters, digits and dashes */
export const markDone = async (connection: SshConnection, name: string, text = ""): Promise<void> => {
  await runScript(connection, `mkdir -p "${FOLDER}" && printf '%s' "$TEXT" > "${FOLDER}/$NAME"`, {
    NAME: name,
    TEXT: text,
  });
};

export const unmark = async (connection: SshConnection, name: string): Promise<void> => {
  await runScript(connection, `rm -f "${FOLDER}/$NAME"`, { NAME: name });
};

/** @returns what was noted; undefined where nothing was */
export const markOf = async (connection: SshConnection, name: string): Promise<string | undefined> => {
  const { said } = await runScript(
    connection,
    `[ -f "${FOLDER}/$NAME" ] && say mark "$(head -c 2000 "${FOLDER}/$NAME")"`,
    { NAME: name },
    { words: 2 },
  );
  const found = said.find(([word]) => word === "mark");
  return found === undefined ? undefined : (found[1] ?? "");
};
