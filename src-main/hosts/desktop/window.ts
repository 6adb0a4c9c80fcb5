import type { BrowserWindow, BrowserWindowConstructorOptions, Screen } from "electron";
import { REQUIRED_PREFERENCES } from "./guards.ts";
import { APP_PAGE } from "./origin.ts";
import { keepWindowState, placeWindow, readWindowState, SMALLEST_SIZE } from "./window-state.ts";

/** After so long without a crash, the page has recovered from the last one. */
const CRASH_AGAIN_MS = 60_000;

export interface WindowOptions {
  /** The built preload. */
  readonly preload: string;
  readonly icon: string;
  /** Where the window's place is kept. */
  readonly stateFile: string;
  readonly backgroundColor: string;
}

export interface WindowPorts {
  /** @returns whether the window may close. */
  mayClose(): boolean;
  /** The system ends the session: there is no time for a question. */
  onSessionEnd(): void;
  /** It was shown or hidden. */
  onVisible(): void;
  /** The page has crashed, was loaded again and has crashed once more. */
  askAfterCrash(reason: string): Promise<"reload" | "quit">;
  quit(): void;
  /** The page did not load. */
  problem(error: unknown): void;
}

export const windowOptions = (
  options: WindowOptions,
  place: ReturnType<typeof placeWindow>,
): BrowserWindowConstructorOptions => {
  const { experimentalFeatures: _, ...preferences } = REQUIRED_PREFERENCES;
  return {
    ...place,
    minWidth: SMALLEST_SIZE.width,
    minHeight: SMALLEST_SIZE.height,
    title: "Fedfleet",
    icon: options.icon,
    backgroundColor: options.backgroundColor,
    // Shown once there is something to see.
    show: false,
    webPreferences: {
      ...preferences,
      preload: options.preload,
      spellcheck: false,
      // A hidden page draws nothing; what it missed is told when it is seen again.
      backgroundThrottling: true,
      navigateOnDragDrop: false,
    },
  };
};

/** The one window of the lab. There is at most one at a time; on a Mac there may be none for a while. */
export const createLabWindow = (
  electron: {
    readonly BrowserWindow: typeof BrowserWindow;
    readonly screen: Pick<Screen, "getAllDisplays" | "getPrimaryDisplay">;
  },
  options: WindowOptions,
  ports: WindowPorts,
) => {
  let window: BrowserWindow | undefined;
  let crashedAt = Number.NEGATIVE_INFINITY;

  const displays = () => {
    const primary = electron.screen.getPrimaryDisplay();
    return [primary, ...electron.screen.getAllDisplays().filter(({ id }) => id !== primary.id)].map(
      ({ workArea }) => workArea,
    );
  };

  const onCrash = async (opened: BrowserWindow, reason: string): Promise<void> => {
    if (opened.isDestroyed() || reason === "clean-exit") return;
    const again = performance.now() - crashedAt < CRASH_AGAIN_MS;
    crashedAt = performance.now();
    // The lab itself is another process and goes on.
    if (!again || (await ports.askAfterCrash(reason)) === "reload") {
      if (!opened.isDestroyed()) opened.webContents.reload();
    } else ports.quit();
  };

  const open = (): BrowserWindow => {
    const kept = readWindowState(options.stateFile);
    const opened = new electron.BrowserWindow(windowOptions(options, placeWindow(kept, displays())));
    window = opened;
    keepWindowState(opened, options.stateFile);
    opened.once("ready-to-show", () => {
      if (kept?.maximized) opened.maximize();
      opened.show();
    });
    opened.on("close", (event) => {
      if (!ports.mayClose()) event.preventDefault();
    });
    opened.on("closed", () => {
      window = undefined;
    });
    opened.on("session-end", ports.onSessionEnd);
    opened.on("show", ports.onVisible);
    opened.on("hide", ports.onVisible);
    opened.webContents.on("render-process-gone", (_event, { reason }) => void onCrash(opened, reason));
    opened.loadURL(APP_PAGE).catch((error: unknown) => {
      // A window that is closed before its page is there, or loads it anew, gives up the first load: no bug of ours.
      if (opened.isDestroyed()) return;
      ports.problem(error);
      // It would never be ready to show, and an app without a window could not even be quit.
      opened.show();
    });
    return opened;
  };

  return {
    /** Shows the window, before all others; opens it where there is none. */
    show(): void {
      if (window === undefined) {
        open();
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
    },
    hide(): void {
      window?.hide();
    },
    isFocused: (): boolean => window?.isFocused() ?? false,
    isVisible: (): boolean => window?.isVisible() ?? false,
    /** For dialogs that belong to it; undefined where they would not be seen. */
    current: (): BrowserWindow | undefined => (window?.isVisible() ? window : undefined),
  };
};
