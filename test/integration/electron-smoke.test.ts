/** The desktop on Electron's own binary, wherever it can be had: an ordinary user, a display, the download. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { _electron } from "playwright-core";
import { expect, test } from "vitest";
import { fetchElectron, findElectron } from "#main/hosts/desktop/find-electron.ts";
import { ensureBuilt } from "#main/hosts/ensure-built.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Each tries to get out of the page, and tells whether it did. */
const WAYS_OUT = {
  "a window": "window.open('https://example.com') !== null",
  "an evaluated script": "(() => { try { return eval('true'); } catch { return false; } })()",
  "a request": "fetch('https://example.com').then(() => true, () => false)",
  "a file": "fetch('file:///etc/hostname').then(() => true, () => false)",
  "an inline script":
    "(() => { const s = document.createElement('script'); try { s.textContent = 'window.ran = true'; document.head.append(s); } catch {} return window.ran === true; })()",
  Node: "typeof require !== 'undefined' || typeof process !== 'undefined'",
  "a camera": "navigator.mediaDevices.getUserMedia({ video: true }).then(() => true, () => false)",
  "a place": "new Promise((r) => navigator.geolocation.getCurrentPosition(() => r(true), () => r(false)))",
  "another page":
    "(location.href = 'https://example.com', new Promise((r) => setTimeout(() => r(location.host !== 'lab'), 500)))",
};

test("Electron opens the lab in its window, and nothing in the page gets out", {
  timeout: 480_000,
}, async (context) => {
  const memory = mkdtempSync(join(tmpdir(), "fedfleet-electron-"));
  try {
    const found = await findElectron({
      platform: process.platform,
      env: process.env,
      uid: process.getuid?.(),
      packageDir: join(root, "node_modules", "electron"),
      memoryFile: join(memory, "electron.json"),
      retry: true,
      now: Date.now,
      say: () => {},
      fetchElectron,
    });
    if (!found.ok) {
      console.log(`skipped, since Electron cannot run here: ${found.why}`);
      context.skip(found.why);
      return;
    }
    await ensureBuilt("desktop", () => {});
    const dataDir = join(memory, "lab");
    const app = await _electron.launch({
      executablePath: found.binary,
      args: [root],
      env: { ...(process.env as Record<string, string>), FEDFLEET_DATA_DIR: dataDir },
    });
    try {
      const window = await app.firstWindow();
      await window.waitForSelector("nav");
      expect(window.url()).toMatch(/^app:\/\/lab\//);
      expect(await window.evaluate("Object.keys(window.fedfleet).sort()")).toEqual(["connect", "setTheme"]);
      for (const [way, script] of Object.entries(WAYS_OUT))
        expect([way, await window.evaluate(script)]).toEqual([way, false]);
      expect(existsSync(join(dataDir, "fedfleet.db"))).toBe(true);
      expect(JSON.parse(readFileSync(join(dataDir, "owner.json"), "utf8"))).toMatchObject({
        pid: app.process().pid,
      });
    } finally {
      await app.close();
    }
  } finally {
    rmSync(memory, { recursive: true, force: true });
  }
});
