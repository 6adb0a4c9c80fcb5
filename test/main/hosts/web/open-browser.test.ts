import { expect, test } from "vitest";
import { browserCommand } from "#main/hosts/web/open-browser.ts";

const url = "http://127.0.0.1:7340/?token=a";

test("the browser is opened where somebody sees it", () => {
  expect(browserCommand(url, { platform: "linux", env: { DISPLAY: ":0" } })).toEqual(["xdg-open", url]);
  expect(browserCommand(url, { platform: "linux", env: {} })).toBeUndefined();
  expect(browserCommand(url, { platform: "linux", env: { DISPLAY: ":0", CI: "true" } })).toBeUndefined();
  expect(browserCommand(url, { platform: "darwin", env: {} })).toEqual(["open", url]);
  expect(browserCommand(url, { platform: "win32", env: {} })?.at(-1)).toBe(url);
});
