import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type FetchResult,
  type FindElectronDeps,
  fetchElectron,
  findElectron,
} from "#main/hosts/desktop/find-electron.ts";

let folder: string;
let packageDir: string;
let fetches: number;
let said: string[];
let now: number;
let fetched: () => FetchResult;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fedfleet-electron-"));
  packageDir = join(folder, "electron");
  mkdirSync(packageDir);
  writeFileSync(join(packageDir, "package.json"), '{"version": "45.0.1"}');
  fetches = 0;
  said = [];
  now = 1000;
  fetched = () => ({ ok: false, why: "Electron could not be downloaded (fetch failed)" });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unpack = (version: string) => {
  mkdirSync(join(packageDir, "dist"), { recursive: true });
  writeFileSync(join(packageDir, "dist", "version"), version);
  writeFileSync(join(packageDir, "dist", "electron"), "");
  writeFileSync(join(packageDir, "path.txt"), "electron");
};

const find = (changes: Partial<FindElectronDeps> = {}) =>
  findElectron({
    platform: "linux",
    env: { DISPLAY: ":0" },
    uid: 1000,
    packageDir,
    memoryFile: join(folder, "out", "electron.json"),
    retry: false,
    now: () => now,
    say: (line) => said.push(line),
    fetchElectron: async () => {
      fetches += 1;
      return fetched();
    },
    ...changes,
  });

describe("findElectron", () => {
  test("takes the binary that is there, of the right version", async () => {
    unpack("45.0.1");
    expect(await find()).toEqual({ ok: true, binary: join(packageDir, "dist", "electron") });
    expect(await find({ env: { WAYLAND_DISPLAY: "wayland-0" } })).toMatchObject({ ok: true });
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "electron"), "");
    const env = { DISPLAY: ":0", ELECTRON_OVERRIDE_DIST_PATH: elsewhere };
    expect(await find({ env })).toEqual({ ok: true, binary: join(elsewhere, "electron") });
    expect(fetches).toBe(0);
    unpack("44.9.9");
    expect(await find()).toMatchObject({ ok: false });
    expect(fetches).toBe(1);
  });

  test("fetches nothing where no window could open, and says why", async () => {
    unpack("45.0.1");
    expect(await find({ env: {} })).toMatchObject({ ok: false, why: expect.stringContaining("DISPLAY") });
    expect(await find({ uid: 0 })).toMatchObject({ ok: false, why: expect.stringContaining("root") });
    expect(await find({ platform: "darwin", env: {}, uid: 501 })).toMatchObject({ ok: true });
    expect(fetches).toBe(0);
  });

  test("a failed download is remembered for a day, for this version", async () => {
    expect(await find()).toMatchObject({ ok: false, why: expect.stringContaining("fetch failed") });
    expect(said.join()).toContain("Downloading Electron 45.0.1");
    now += 23 * 3_600_000;
    expect(await find()).toMatchObject({
      ok: false,
      why: expect.stringMatching(/fetch failed.*--retry-electron/),
    });
    expect(fetches).toBe(1);
    await find({ retry: true });
    expect(fetches).toBe(2);
    now += 25 * 3_600_000;
    await find();
    expect(fetches).toBe(3);
    writeFileSync(join(packageDir, "package.json"), '{"version": "46.0.0"}');
    await find();
    expect(fetches).toBe(4);
    fetched = () => {
      unpack("46.0.0");
      return { ok: true };
    };
    expect(await find({ retry: true })).toMatchObject({ ok: true });
    expect(existsSync(join(folder, "out", "electron.json"))).toBe(false);
  });

  test("a download that ends well without its program is no success", async () => {
    fetched = () => ({ ok: true });
    expect(await find()).toMatchObject({ ok: false, why: expect.stringContaining("not there") });
  });
});

describe("fetchElectron", () => {
  const installer = (text: string) => writeFileSync(join(packageDir, "install.js"), text);

  test("tells the reason out of the downloader's stack", async () => {
    installer(
      'console.error("TypeError: fetch failed\\n    at x\\n  [cause]: Error: getaddrinfo ENOTFOUND example.org\\n    at y"); process.exit(1)',
    );
    expect(await fetchElectron(packageDir, 5000)).toEqual({
      ok: false,
      why: "Electron could not be downloaded (getaddrinfo ENOTFOUND example.org)",
    });
    installer("process.exit(0)");
    expect(await fetchElectron(packageDir, 5000)).toEqual({ ok: true });
  });

  test("has patience with a limit", async () => {
    installer("setInterval(() => {}, 1000)");
    const startedAt = performance.now();
    expect(await fetchElectron(packageDir, 300)).toMatchObject({
      ok: false,
      why: expect.stringContaining("0.3"),
    });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
