import { homedir } from "node:os";
import { join } from "node:path";

/** The releases of Flower that `test/setup/install.sh` installs, each in an environment of its own. */
export const FLWR_VERSIONS = ["0.19.0", "1.11.1", "1.41.0"] as const;
export type FlwrVersion = (typeof FLWR_VERSIONS)[number];

/** The Python that runs this release; whether it is there is for the caller to see. Folders as install.sh has them. */
export const pythonOf = (version: FlwrVersion, environment: NodeJS.ProcessEnv = process.env): string => {
  const cache =
    environment.FEDFLEET_CACHE ||
    join(environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), ".cache"), "fedfleet");
  return join(cache, `flwr-${version}`, "bin", "python");
};
