import type { IpcMain, NativeTheme } from "electron";
import { isFromOurPage } from "./origin.ts";

export const THEME_CHANNEL = "lab:theme";

const THEMES: ReadonlySet<unknown> = new Set([
  "light",
  "dark",
  "system",
] satisfies NativeTheme["themeSource"][]);

/** The window's frame and dialogs follow the theme that was chosen on the page. */
export const followTheme = (
  electron: { readonly ipcMain: Pick<IpcMain, "on">; readonly nativeTheme: Pick<NativeTheme, "themeSource"> },
  refused: (what: string) => void,
): void => {
  electron.ipcMain.on(THEME_CHANNEL, (event, theme: unknown, ...more: unknown[]) => {
    if (isFromOurPage(event) && THEMES.has(theme) && more.length === 0) {
      electron.nativeTheme.themeSource = theme as NativeTheme["themeSource"];
    } else refused("an unknown theme");
  });
};

/** The window's background until the page is drawn: the page's own colours. */
export const backgroundOf = (dark: boolean): string => (dark ? "#1a1b1e" : "#ffffff");
