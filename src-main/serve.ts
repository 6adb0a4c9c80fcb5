import process from "node:process";
import { UserError } from "#contract/failure.ts";
import type { ServedLab } from "#main/hosts/serve-command.ts";
import { readServing, writeServing } from "#main/hosts/serving-file.ts";
import { openBrowser } from "#main/hosts/web/open-browser.ts";
import { serveLab } from "#main/hosts/web/web.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import type { Lab } from "./lab.ts";
import { openPageLab } from "./page-lab.ts";

/** How long the running study gets to end in order, and then the open pages. */
const CLOSE_MS = 5000;
const GOODBYE_MS = 1000;

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

export interface ServeOptions {
  readonly port: number | undefined;
  readonly rendererDir: string;
  readonly version: string;
}

/** Serves an open lab to the browsers of this computer. Takes the lab over: it is closed when this is, or fails. */
export const openServedLab = async (
  lab: Lab,
  { port, rendererDir, version }: ServeOptions,
): Promise<ServedLab> => {
  const pageLab = openPageLab({ lab, host: "browser", version, listEngines });
  try {
    const host = await serveLab({
      router: pageLab.router,
      rendererDir,
      port,
      onProblem: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
    });
    const removeServing = writeServing(lab.store.dataDir, { pid: process.pid, url: host.url });
    return {
      url: host.url,
      openBrowser: () => openBrowser(host.urlForOnce()),
      running() {
        const { study } = pageLab.activity();
        return study === undefined ? undefined : (lab.store.studies.get(study)?.name ?? study);
      },
      async close() {
        removeServing();
        // The study first: pages that are still open see how it ends.
        await pageLab.close(CLOSE_MS);
        await host.close(GOODBYE_MS);
        await lab.close();
      },
    };
  } catch (error) {
    await pageLab.close(CLOSE_MS);
    await lab.close();
    throw error;
  }
};
