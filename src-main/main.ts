/** Desktop root: builds the rooms, wires them to the window, and puts them away again. It holds no logic. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { call } from "@orpc/server";
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  Notification,
  nativeTheme,
  powerMonitor,
  powerSaveBlocker,
  protocol,
  safeStorage,
  screen,
  session,
  Tray,
  utilityProcess,
} from "electron";
import { UserError } from "./contract/failure.ts";
import { registerAppScheme, serveApp } from "./hosts/desktop/app-protocol.ts";
import { createCrashLog, onUncaught } from "./hosts/desktop/crash-log.ts";
import { createDialogs } from "./hosts/desktop/dialogs.ts";
import { guardContents } from "./hosts/desktop/guards.ts";
import { createLeaving } from "./hosts/desktop/leaving.ts";
import { menuTemplate } from "./hosts/desktop/menu.ts";
import { createNotifier } from "./hosts/desktop/notify.ts";
import { guardSession } from "./hosts/desktop/permissions.ts";
import { serveLabPort } from "./hosts/desktop/port.ts";
import { createWakefulness, followSleep } from "./hosts/desktop/power.ts";
import { createSafeCipher } from "./hosts/desktop/safe-cipher.ts";
import { isOnlyInstance } from "./hosts/desktop/single-instance.ts";
import { backgroundOf, followTheme } from "./hosts/desktop/theme.ts";
import { createTray } from "./hosts/desktop/tray.ts";
import { createLabWindow } from "./hosts/desktop/window.ts";
import { dataDirOf } from "./lab/data-dir.ts";
import { openLab } from "./lab/open-lab.ts";
import { openOrSayWhere } from "./lab/open-or-say-where.ts";
import { openPageLab } from "./lab/page-lab.ts";
import { listEngines } from "./learning/engines/engine.ts";
import { tryInChild } from "./learning/engines/try-in-child.ts";
import { createForkUtility } from "./processes/fork-utility.ts";

const CLOSE_MS = 5000;

// Before Electron is ready
app.enableSandbox();
app.setName("Fedfleet");
const dataDir = dataDirOf(undefined);
// A lab of its own has a window of its own.
const own = process.env.FEDFLEET_DATA_DIR ? join(dataDir, "window") : undefined;
app.setPath("userData", own ?? join(app.getPath("appData"), "Fedfleet"));
registerAppScheme(protocol);

// In the app, and beside it
const inApp = (path: string) => join(app.getAppPath(), path);
const entry = (name: string) => pathToFileURL(inApp(`out/main/${name}-worker.js`));
const resourcesDir = app.isPackaged ? join(process.resourcesPath, "resources") : inApp("resources");
const deviceScriptsDir = app.isPackaged
  ? join(process.resourcesPath, "device-scripts")
  : inApp("device-scripts");
const icon = (name: string) => join(resourcesDir, "icons", name);
const { version } = JSON.parse(readFileSync(inApp("package.json"), "utf8")) as { version: string };

// What goes wrong
let currentWindow: () => BrowserWindow | undefined = () => undefined;
const log = createCrashLog(join(app.getPath("userData"), "fedfleet.log"));
const refused = (what: string) => log.refused(what);
const problem = (error: unknown) => log.write("problem", error);
const dialogs = createDialogs(dialog, () => currentWindow());
const fatal = (error: unknown) => {
  log.write("fatal", error);
  dialogs.fatal(error, log.file);
  app.exit(1);
};
onUncaught(process, fatal);
guardContents(app, { refused, fatal });

const openDesktop = (secrets: Awaited<ReturnType<typeof createSafeCipher>>) => {
  // The page's surroundings
  guardSession(session.defaultSession, refused);
  serveApp(protocol, { rendererDir: inApp("out/renderer"), onProblem: problem });
  followTheme({ ipcMain, nativeTheme }, refused);

  // The lab
  const fork = createForkUtility(utilityProcess);
  const entries = {
    device: entry("device"),
    evaluation: entry("evaluation"),
    data: entry("data"),
    report: entry("report"),
  };
  const lab = openOrSayWhere(dataDir, () =>
    openLab({ dataDir, resourcesDir, deviceScriptsDir, fork, entries, secrets }),
  );
  const pageLab = openPageLab({
    lab,
    host: "desktop",
    version,
    listEngines: () => listEngines({ tryToLoad: tryInChild(fork, entry("engine")) }),
    onBug: problem,
  });
  const port = serveLabPort({ ipcMain, MessageChannelMain }, { router: pageLab.router, refused });
  const nameOf = (study: string) => lab.store.studyRows.get(study)?.name ?? study;
  const stopAfterRound = (study: string) => {
    call(pageLab.router.studies.stopAfterRound, { study }).catch(problem);
  };

  // The way out
  const leaving = createLeaving({
    platform: process.platform,
    activity: pageLab.activity,
    onActivity: pageLab.onActivity,
    nameOf,
    ask: dialogs.ask,
    hideWindow: () => window.hide(),
    stopAfterRound,
    async putAway() {
      await pageLab.close(CLOSE_MS);
      port.close();
      await lab.close();
      tray.destroy();
    },
    quit: () => app.quit(),
    problem,
  });

  // The window, and what stands for it
  const window = createLabWindow(
    { BrowserWindow, screen },
    {
      preload: inApp("out/preload/preload.cjs"),
      icon: icon("icon.png"),
      stateFile: join(app.getPath("userData"), "window-state.json"),
      backgroundColor: backgroundOf(nativeTheme.shouldUseDarkColors),
    },
    {
      mayClose: () => leaving.wish("close-window"),
      onSessionEnd: () => leaving.wish("shutdown"),
      onVisible: () => tray.update(pageLab.activity(), window.isVisible()),
      askAfterCrash: dialogs.askAfterCrash,
      quit: () => app.quit(),
      problem,
    },
  );
  currentWindow = window.current;
  const tray = createTray(
    { Tray, Menu },
    { icon: icon(process.platform === "darwin" ? "trayTemplate.png" : "tray.png"), nameOf },
    { show: window.show, stopAfterRound, quit: () => app.quit() },
  );
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, app.isPackaged)));

  // What happens in the lab, and to the computer
  const stayAwake = createWakefulness(powerSaveBlocker);
  pageLab.onActivity((activity) => {
    stayAwake(activity);
    tray.update(activity, window.isVisible());
  });
  lab.subscribe(
    createNotifier(
      { Notification },
      { isFocused: window.isFocused, showWindow: window.show, activity: pageLab.activity, nameOf },
    ),
  );
  followSleep(powerMonitor, {
    now: Date.now,
    say: (message) => pageLab.notify({ kind: "said", message }),
    onAwake: lab.boards.start,
    onShutdown: () => leaving.wish("shutdown"),
  });
  app.on("activate", window.show);
  app.on("before-quit", (event) => {
    if (!leaving.wish("quit")) event.preventDefault();
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") void leaving.leave();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => leaving.wish("shutdown"));

  window.show();
  return window;
};

let window: ReturnType<typeof openDesktop> | undefined;
if (isOnlyInstance(app, () => window?.show())) {
  app.whenReady().then(async () => {
    const secrets = await createSafeCipher({ safeStorage });
    try {
      window = openDesktop(secrets);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      dialogs.cannotStart(error.message);
      app.exit(error.exitCode);
    }
  });
} else app.quit();
