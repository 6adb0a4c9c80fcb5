import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { App } from "electron";

/** Where the desktop's files lie: in the app, and beside it. */
export const createAppPaths = (
  app: Pick<App, "getAppPath" | "getPath" | "isPackaged">,
  /** Of the packaged app. */
  resourcesPath: string,
) => {
  const inApp = (path: string) => join(app.getAppPath(), path);
  // electron-builder puts them beside the app, so that other programs can read them.
  const beside = (folder: string) => (app.isPackaged ? join(resourcesPath, folder) : inApp(folder));
  const worker = (name: string) => pathToFileURL(inApp(`out/main/${name}-worker.js`));
  const resourcesDir = beside("resources");
  return {
    resourcesDir,
    deviceScriptsDir: beside("device-scripts"),
    rendererDir: inApp("out/renderer"),
    preload: inApp("out/preload/preload.cjs"),
    /** The files that the lab's child processes start with. */
    entries: {
      device: worker("device"),
      evaluation: worker("evaluation"),
      data: worker("data"),
      report: worker("report"),
    },
    engineTrial: worker("engine"),
    icon: (name: string) => join(resourcesDir, "icons", name),
    inProfile: (name: string) => join(app.getPath("userData"), name),
    version: (): string =>
      (JSON.parse(readFileSync(inApp("package.json"), "utf8")) as { version: string }).version,
  };
};

/** Electron's own profile. A lab in a directory of its own has a window of its own. */
export const profileDirOf = (
  app: Pick<App, "getPath">,
  dataDir: string,
  env: NodeJS.ProcessEnv = process.env,
): string => (env.FEDFLEET_DATA_DIR ? join(dataDir, "window") : join(app.getPath("appData"), "Fedfleet"));
