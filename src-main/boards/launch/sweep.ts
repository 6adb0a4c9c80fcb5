import { setTimeout as pause } from "node:timers/promises";
import { runScript } from "#main/boards/board-data/remote-script.ts";
import {
  BOARD_FOLDERS,
  BoardError,
  type DockerEngine,
  type SshConnection,
} from "#main/boards/board-ports.ts";
import { type Leftover, listContainers, removeContainer } from "./leftovers.ts";

/**
 * Removes what this lab left on an engine and no running study owns: containers, and the folders of their sockets.
 * What belongs to other labs stays.
 *
 * @param isOwned a study owns its containers now; asked as late as possible, since a study may start meanwhile
 * @param device only this device's: several boards of the lab may be one machine
 * @returns what was removed
 */
export const sweep = async (
  engine: DockerEngine,
  connection: SshConnection,
  lab: string,
  isOwned: (study: string) => boolean,
  device?: string,
): Promise<readonly Leftover[]> => {
  const removed: Leftover[] = [];
  for (const container of await listContainers(engine, lab, device)) {
    if (isOwned(container.study)) continue;
    await removeContainer(engine, container.id);
    removed.push(container);
  }
  const studies = removed
    .map(({ study }) => study)
    .filter((study, i, all) => /^[\w.-]+$/.test(study) && all.indexOf(study) === i && !isOwned(study));
  if (studies.length > 0) {
    const script = `for study in $STUDIES; do rm -f "${BOARD_FOLDERS.run}/$study/s:1"; rmdir "${BOARD_FOLDERS.run}/$study" 2>/dev/null; done\nexit 0`;
    await runScript(connection, script, { STUDIES: studies.join(" ") });
  }
  return removed;
};

/** A board that has just booted accepts sign-ins before its engine is up. */
const WAITS_MS = [1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000];

/** The same, as soon as the engine answers. @throws as it does, where the engine does not answer for minutes */
export const sweepWhenItAnswers: typeof sweep = async (engine, connection, ...what) => {
  for (const ms of WAITS_MS) {
    try {
      return await sweep(engine, connection, ...what);
    } catch (error) {
      const isStopped = error instanceof BoardError && error.problem.code === "docker-stopped";
      if (!isStopped || connection.isClosed) throw error;
    }
    await pause(ms, undefined, { ref: false });
  }
  return await sweep(engine, connection, ...what);
};
