import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { createAppPaths, profileDirOf } from "#main/hosts/desktop/app-paths.ts";

const app = (isPackaged: boolean) => ({
  isPackaged,
  getAppPath: () => "/app",
  getPath: (name: string) => `/user/${name}`,
});

test("a checkout holds everything; a packaged app has resources and device scripts beside it", () => {
  const checkout = createAppPaths(app(false), "/beside");
  expect([checkout.resourcesDir, checkout.deviceScriptsDir, checkout.icon("a.png")]).toEqual([
    "/app/resources",
    "/app/device-scripts",
    "/app/resources/icons/a.png",
  ]);
  const packaged = createAppPaths(app(true), "/beside");
  expect([packaged.resourcesDir, packaged.deviceScriptsDir]).toEqual([
    "/beside/resources",
    "/beside/device-scripts",
  ]);
  expect([packaged.preload, packaged.rendererDir]).toEqual([
    "/app/out/preload/preload.cjs",
    "/app/out/renderer",
  ]);
  expect(packaged.entries.data).toEqual(pathToFileURL("/app/out/main/data-worker.js"));
  expect(packaged.inProfile("fedfleet.log")).toBe("/user/userData/fedfleet.log");
});

test("a lab in a directory of its own has a profile of its own", () => {
  expect(profileDirOf(app(false), "/lab", { FEDFLEET_DATA_DIR: "/lab" })).toBe("/lab/window");
  expect(profileDirOf(app(false), "/lab", {})).toBe("/user/appData/Fedfleet");
});
