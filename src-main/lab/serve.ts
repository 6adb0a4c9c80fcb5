import process from "node:process";
import type { ServedLab } from "#main/hosts/cli/serve-command.ts";
import { openBrowser } from "#main/hosts/web/open-browser.ts";
import { writeServing } from "#main/hosts/web/serving-file.ts";
import { serveLab, type WebHost } from "#main/hosts/web/web.ts";
import { listEngines } from "#main/learning/engines/engine.ts";
import type { Lab } from "./open-lab.ts";
import { openPageLab } from "./page-lab.ts";

/** How long the running study gets to stop in order, and the open pages to disconnect. */
const CLOSE_MS = 5000;
const GOODBYE_MS = 1000;

export interface ServeOptions {
  readonly port: number | undefined;
  readonly rendererDir: string;
  readonly version: string;
}

/** Serves an open lab to browsers of this computer. Takes the lab over: closes it at the end, and on failure. */
export const openServedLab = async (
  lab: Lab,
  { port, rendererDir, version }: ServeOptions,
): Promise<ServedLab> => {
  const pageLab = openPageLab({ lab, host: "browser", version, listEngines });
  let host: WebHost | undefined;
  let removeServing = () => {};
  const close = async (): Promise<void> => {
    removeServing();
    // The study first: open pages see how it ends.
    await pageLab.close(CLOSE_MS);
    await host?.close(GOODBYE_MS);
    await lab.close();
  };
  try {
    const served = await serveLab({
      router: pageLab.router,
      rendererDir,
      port,
      onProblem: (error) => process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
    });
    host = served;
    removeServing = writeServing(lab.store.dataDir, { pid: process.pid, url: served.url });
    return {
      url: served.url,
      openBrowser: () => openBrowser(served.urlForOnce()),
      running() {
        const { study } = pageLab.activity();
        return study === undefined ? undefined : (lab.store.studies.get(study)?.name ?? study);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
