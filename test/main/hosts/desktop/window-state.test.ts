import { EventEmitter } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepWindowState, placeWindow, readWindowState } from "#main/hosts/desktop/window-state.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fedfleet-window-"));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

const main = { x: 0, y: 0, width: 1920, height: 1050 };
const left = { x: -1600, y: 100, width: 1600, height: 900 };
const at = (x: number, y: number, width = 1000, height = 700) => ({
  bounds: { x, y, width, height },
  maximized: false,
});

test.each([
  ["no state", undefined, [main], { width: 1280, height: 800 }],
  ["on the main display", at(100, 50), [main], { x: 100, y: 50, width: 1000, height: 700 }],
  ["on the second display", at(-1500, 200), [main, left], { x: -1500, y: 200, width: 1000, height: 700 }],
  ["its display is gone", at(-1500, 200), [main], { width: 1000, height: 700 }],
  ["half over the edge", at(1500, 100), [main], { x: 1500, y: 100, width: 1000, height: 700 }],
  ["but a sliver over the edge", at(1900, 100), [main], { width: 1000, height: 700 }],
  ["its title above the display", at(100, -400), [main], { width: 1000, height: 700 }],
  ["its title below the display", at(100, 1040), [main], { width: 1000, height: 700 }],
  ["larger than the display", at(0, 0, 5000, 4000), [main], { x: 0, y: 0, width: 1920, height: 1050 }],
  ["smaller than can be used", at(0, 0, 200, 10), [main], { x: 0, y: 0, width: 800, height: 560 }],
  ["no display at all", at(5, 5), [], { width: 1000, height: 700 }],
] as const)("a window goes where it was, as far as that can be seen: %s", (_name, kept, displays, place) => {
  expect(placeWindow(kept, displays)).toEqual(place);
});

test.each([
  "",
  "null",
  "{",
  "[]",
  "{}",
  '{"bounds":null}',
  '{"bounds":{"x":1,"y":2,"width":3}}',
  '{"bounds":{"x":"1","y":2,"width":3,"height":4}}',
  '{"bounds":{"x":1e9,"y":2,"width":3,"height":4}}',
  '{"bounds":{"x":0.5,"y":2,"width":3,"height":4}}',
])("a broken file is no state: %s", (text) => {
  const file = join(dir, "state.json");
  writeFileSync(file, text);
  expect(readWindowState(file)).toBeUndefined();
  expect(readWindowState(join(dir, "none.json"))).toBeUndefined();
});

test("the state is kept a moment after a change, at once when the window closes, and leaves no other file", () => {
  vi.useFakeTimers();
  const file = join(dir, "profile", "state.json");
  let bounds = { x: 1, y: 2, width: 900, height: 600 };
  const window = Object.assign(new EventEmitter(), {
    getNormalBounds: () => bounds,
    isMaximized: () => true,
    isDestroyed: () => false,
  });
  keepWindowState(window as unknown as Parameters<typeof keepWindowState>[0], file);
  window.emit("move");
  window.emit("resize");
  expect(existsSync(file)).toBe(false);
  vi.advanceTimersByTime(1000);
  expect(readWindowState(file)).toEqual({ bounds, maximized: true });
  bounds = { ...bounds, x: 50 };
  window.emit("close");
  expect(readWindowState(file)).toEqual({ bounds, maximized: true });
  expect(readdirSync(join(dir, "profile"))).toEqual(["state.json"]);
});

test("a disk that cannot be written costs only the memory of the place", () => {
  writeFileSync(join(dir, "file"), "");
  const window = Object.assign(new EventEmitter(), {
    getNormalBounds: () => ({ x: 1, y: 2, width: 900, height: 600 }),
    isMaximized: () => false,
    isDestroyed: () => false,
  });
  keepWindowState(
    window as unknown as Parameters<typeof keepWindowState>[0],
    join(dir, "file", "state.json"),
  );
  window.emit("close");
});
