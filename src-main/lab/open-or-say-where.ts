import { UserError } from "#contract/failure.ts";
import { readServing } from "#main/hosts/web/serving-file.ts";
import type { Lab } from "./open-lab.ts";

/** Opens a lab; where the one that holds the directory serves it, the refusal says at which address. */
export const openOrSayWhere = (dataDir: string, open: () => Lab): Lab => {
  try {
    return open();
  } catch (error) {
    const serving = error instanceof UserError ? readServing(dataDir) : undefined;
    if (serving === undefined) throw error;
    const { message, exitCode } = error as UserError;
    throw new UserError(`${message}\nThat process serves the lab at ${serving.url}`, {
      exitCode,
      cause: error,
    });
  }
};
