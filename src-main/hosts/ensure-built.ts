import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Builds the page and the desktop in a checkout, where they are older than their sources. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const RENDERER_DIR = join(ROOT, "out", "renderer");

/** The sources of each part. The contract is bundled into the page. */
const SOURCES = {
  page: ["src-renderer", "src-main/contract", "package-lock.json"],
  desktop: ["src-renderer", "src-main", "package-lock.json", "electron.vite.config.ts"],
} as const;

export type Part = keyof typeof SOURCES;

const PRODUCT: Readonly<Record<Part, string>> = {
  page: join(RENDERER_DIR, "index.html"),
  desktop: join(ROOT, "out", "main", "main.js"),
};

/** A digest of the sources' names, sizes and times: it changes when they do, and nothing has to be read. */
const stateOf = (part: Part): string => {
  const hash = createHash("sha256");
  for (const source of SOURCES[part]) {
    const path = join(ROOT, source);
    if (!existsSync(path)) continue;
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: "utf8" }).sort()
      : [""];
    for (const file of files) {
      const found = statSync(join(path, file));
      if (found.isFile()) hash.update(`${source}/${file} ${found.size} ${found.mtimeMs}\n`);
    }
  }
  return hash.digest("hex");
};

const stampOf = (part: Part) => join(ROOT, "out", `${part}.stamp`);

const isFresh = (part: Part, state: string): boolean => {
  try {
    return existsSync(PRODUCT[part]) && readFileSync(stampOf(part), "utf8") === state;
  } catch {
    return false;
  }
};

const BUILD: Readonly<Record<Part, () => Promise<unknown>>> = {
  async page() {
    const { build } = await import("vite");
    await build({ configFile: join(ROOT, "src-renderer", "vite.config.ts"), logLevel: "error" });
  },
  async desktop() {
    const { build } = await import("electron-vite");
    await build({ root: ROOT, logLevel: "error" });
  },
};

/**
 * Builds a part if its sources have changed since its last build. `desktop` includes the page.
 * @param say called before a build, which takes some seconds
 */
export const ensureBuilt = async (part: Part, say: (line: string) => void): Promise<void> => {
  const state = stateOf(part);
  if (isFresh(part, state)) return;
  say(
    part === "page"
      ? "Building the page (only after its sources change) …"
      : "Building the app (only after its sources change) …",
  );
  // The bundlers read it. React's development build is three times as large.
  const environment = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await BUILD[part]();
  } finally {
    if (environment === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = environment;
  }
  mkdirSync(join(ROOT, "out"), { recursive: true });
  writeFileSync(stampOf(part), state);
  // The desktop's build includes the page.
  if (part === "desktop") writeFileSync(stampOf("page"), stateOf("page"));
};
