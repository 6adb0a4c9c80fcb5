import { UserError } from "#contract/failure.ts";
import { readServing } from "#main/hosts/web/serving-file.ts";
import type { Lab } from "./open-lab.ts";

/** Opens a lab. If another process has the directory open and serves it, the error says at which address. */
export const openOrSayWhere = (dataDir: string, open: () => Lab): Lab => {
  try {
    return open();
  } catch (error) {
    const serving = error instanceof UserError ? readServing(dataDir) : undefined;
    if (serving === undefined) throw error;
    const { message, exitCode } = error as UserError;
    throw new UserError(`${message}\nThe lab is already open at ${serving.url}`, {
      exitCode,
      cause: error,
    });
  }
};
