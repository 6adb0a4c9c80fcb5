/** The desktop: builds the rooms, wires them to the window, and closes them again. It holds no logic. */
import process from "node:process";
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
import { createAppPaths, profileDirOf } from "./hosts/desktop/app-paths.ts";
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
import { openOnce } from "./hosts/desktop/single-instance.ts";
import { backgroundOf, followTheme } from "./hosts/desktop/theme.ts";
import { createTray, trayIcon } from "./hosts/desktop/tray.ts";
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
app.setPath("userData", profileDirOf(app, dataDir));
registerAppScheme(protocol);
const paths = createAppPaths(app, process.resourcesPath);

// Errors and refusals
let currentWindow: () => BrowserWindow | undefined = () => undefined;
const log = createCrashLog(paths.inProfile("fedfleet.log"));
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
  serveApp(protocol, { rendererDir: paths.rendererDir, onProblem: problem });
  followTheme({ ipcMain, nativeTheme }, refused);

  // The lab
  const fork = createForkUtility(utilityProcess);
  const { resourcesDir, deviceScriptsDir, entries } = paths;
  const lab = openOrSayWhere(dataDir, () =>
    openLab({ dataDir, resourcesDir, deviceScriptsDir, fork, entries, secrets }),
  );
  const pageLab = openPageLab({
    lab,
    host: "desktop",
    version: paths.version(),
    listEngines: () => listEngines({ tryToLoad: tryInChild(fork, paths.engineTrial) }),
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
      preload: paths.preload,
      icon: paths.icon("icon.png"),
      stateFile: paths.inProfile("window-state.json"),
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
    { icon: paths.icon(trayIcon(process.platform)), nameOf },
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

void openOnce(app, async () => openDesktop(await createSafeCipher({ safeStorage })), dialogs.cannotStart);
