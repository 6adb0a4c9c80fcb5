import type { BrowserWindow, BrowserWindowConstructorOptions, Screen } from "electron";
import { REQUIRED_PREFERENCES } from "./guards.ts";
import { APP_PAGE } from "./origin.ts";
import { keepWindowState, placeWindow, readWindowState, SMALLEST_SIZE } from "./window-state.ts";

/** After this time without a crash, the page has recovered from the last one. */
const CRASH_AGAIN_MS = 60_000;

export interface WindowOptions {
  /** The built preload. */
  readonly preload: string;
  readonly icon: string;
  /** Where the window's place is saved. */
  readonly stateFile: string;
  readonly backgroundColor: string;
}

export interface WindowPorts {
  /** @returns whether the window may close. */
  mayClose(): boolean;
  /** The system is ending the session: there is no time for a question. */
  onSessionEnd(): void;
  /** The window was shown or hidden. */
  onVisible(): void;
  /** The page has crashed, was reloaded and has crashed again. */
  askAfterCrash(reason: string): Promise<"reload" | "quit">;
  quit(): void;
  /** The page did not load. */
  problem(error: unknown): void;
}

const windowOptions = (
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
      // A hidden page draws nothing, and catches up when it is shown again.
      backgroundThrottling: true,
      navigateOnDragDrop: false,
    },
  };
};

/** The lab's window. There is at most one; on macOS there may be none for a while. */
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
    // The lab runs in another process and is not affected.
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
      // A window that is closed or reloaded before its page has loaded gives up the first load: not a bug.
      if (opened.isDestroyed()) return;
      ports.problem(error);
      // It would never become ready to show, and an app without a window could not be quit.
      opened.show();
    });
    return opened;
  };

  return {
    /** Shows the window in front of all others; opens one where there is none. */
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
    /** The parent of dialogs; undefined while it is hidden, where they would not be seen. */
    current: (): BrowserWindow | undefined => (window?.isVisible() ? window : undefined),
  };
};
