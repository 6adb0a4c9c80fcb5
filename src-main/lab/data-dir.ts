import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The lab's data directory: the given one, else the user's own, which the desktop and the commands share.
 * The path is absolute, as the desktop needs it. An empty variable counts as not set.
 */
export const dataDirOf = (given: string | undefined, env: NodeJS.ProcessEnv = process.env): string =>
  resolve(
    given ??
      (env.FEDFLEET_DATA_DIR ||
        join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "fedfleet", "lab")),
  );
