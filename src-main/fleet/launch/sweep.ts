import { runScript } from "#main/fleet/board-data/remote-script.ts";
import { BOARD_FOLDERS, type DockerEngine, type SshConnection } from "#main/fleet/board-ports.ts";
import { type Leftover, listContainers, removeContainer } from "./leftovers.ts";

/**
 * Removes what this lab left on an engine and no study that runs owns: containers, and the folders of their sockets.
 * Other labs' stay, whatever they do.
 *
 * @param keep studies that own their containers now
 * @param device only this device's: several boards of the lab may be one machine
 * @returns what was removed
 */
export const sweep = async (
  engine: DockerEngine,
  connection: SshConnection,
  lab: string,
  keep: ReadonlySet<string>,
  device?: string,
): Promise<readonly Leftover[]> => {
  const removed: Leftover[] = [];
  for (const container of await listContainers(engine, lab, device)) {
    if (keep.has(container.study)) continue;
    await removeContainer(engine, container.id);
    removed.push(container);
  }
  const studies = new Set(removed.map(({ study }) => study).filter((study) => /^[\w.-]+$/.test(study)));
  if (studies.size > 0) {
    const script = `for study in $STUDIES; do rm -f "${BOARD_FOLDERS.run}/$study/s:1"; rmdir "${BOARD_FOLDERS.run}/$study" 2>/dev/null; done\nexit 0`;
    await runScript(connection, script, { STUDIES: [...studies].join(" ") });
  }
  return removed;
};
