import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { BrowserWindow, Rectangle } from "electron";

export interface WindowState {
  readonly bounds: Rectangle;
  readonly maximized: boolean;
}

const DEFAULT_SIZE = { width: 1280, height: 800 } as const;
export const SMALLEST_SIZE = { width: 800, height: 560 } as const;
/** Pixels of a window's title bar that must lie on a display, so that it can be seen and moved. */
const SEEN = 100;
const SAVE_AFTER_MS = 500;

/** The saved state; undefined where there is none that can be used. */
export const readWindowState = (file: string): WindowState | undefined => {
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as Partial<WindowState> | null;
    const { x, y, width, height } = state?.bounds ?? ({} as Partial<Rectangle>);
    const numbers = [x, y, width, height];
    if (!numbers.every((n) => Number.isSafeInteger(n) && Math.abs(n as number) < 100_000)) return undefined;
    return { bounds: { x, y, width, height } as Rectangle, maximized: state?.maximized === true };
  } catch {
    return undefined;
  }
};

const writeWindowState = (file: string, state: WindowState): void => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(state)}\n`);
  renameSync(`${file}.new`, file);
};

/**
 * Where to open a window: where it was, if that is still on a display (one may be gone, or be smaller now).
 * @param displays the work areas of the displays, the main one first
 */
export const placeWindow = (
  kept: WindowState | undefined,
  displays: readonly Rectangle[],
): Partial<Rectangle> & { readonly width: number; readonly height: number } => {
  const home =
    kept &&
    displays.find(
      (area) =>
        overlap(kept.bounds.x, kept.bounds.width, area.x, area.width) >= SEEN &&
        kept.bounds.y >= area.y &&
        kept.bounds.y <= area.y + area.height - SEEN,
    );
  const area = home ?? displays[0];
  const size = kept?.bounds ?? DEFAULT_SIZE;
  const width = sizeWithin(size.width, SMALLEST_SIZE.width, area?.width);
  const height = sizeWithin(size.height, SMALLEST_SIZE.height, area?.height);
  return home === undefined ? { width, height } : { x: kept!.bounds.x, y: kept!.bounds.y, width, height };
};

const overlap = (a: number, aSize: number, b: number, bSize: number): number =>
  Math.min(a + aSize, b + bSize) - Math.max(a, b);

const sizeWithin = (size: number, least: number, most = size): number =>
  Math.max(least, Math.min(size, most));

/** Saves the window's state as it changes. If the disk cannot be written, only that is lost. */
export const keepWindowState = (
  window: Pick<BrowserWindow, "on" | "getNormalBounds" | "isMaximized" | "isDestroyed">,
  file: string,
): void => {
  let timer: NodeJS.Timeout | undefined;
  const save = () => {
    clearTimeout(timer);
    timer = undefined;
    if (window.isDestroyed()) return;
    try {
      writeWindowState(file, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
    } catch {
      // The next window opens at its default place.
    }
  };
  const soon = () => {
    timer ??= setTimeout(save, SAVE_AFTER_MS);
  };
  window.on("resize", soon);
  window.on("move", soon);
  window.on("maximize", soon);
  window.on("unmaximize", soon);
  window.on("close", save);
};
