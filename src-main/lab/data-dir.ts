import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * The data directory of the lab: the one that is named, else the user's own, which the desktop and the commands share.
 * Always absolute, as the desktop needs it. A variable that is set to nothing counts as not set.
 */
export const dataDirOf = (given: string | undefined, env: NodeJS.ProcessEnv = process.env): string =>
  resolve(
    given ??
      (env.FEDFLEET_DATA_DIR ||
        join(env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "fedfleet", "lab")),
  );
