import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Surroundings, whyNoDisplay } from "#main/hosts/web/open-browser.ts";

/**
 * Finds the Electron that shows the lab in a window, and downloads it if it is missing. That does not work everywhere
 * (no display, no internet), so an obstacle is an answer, not an error.
 */
export type FoundElectron =
  | { readonly ok: true; readonly binary: string }
  /** A sentence without capital letter and full stop. */
  | { readonly ok: false; readonly why: string };

export interface FindElectronDeps extends Surroundings {
  /** Of the process; undefined on Windows. */
  readonly uid: number | undefined;
  /** node_modules/electron */
  readonly packageDir: string;
  /** Remembers a failed download: to try again at every start would delay the lab by seconds. */
  readonly memoryFile: string;
  /** Try again now, even if the last download failed a short time ago. */
  readonly retry: boolean;
  now(): number;
  say(line: string): void;
  /** Runs the package's own downloader. */
  fetchElectron(packageDir: string, patienceMs: number): Promise<FetchResult>;
}

export type FetchResult = { readonly ok: true } | { readonly ok: false; readonly why: string };

interface Memory {
  readonly version: string;
  readonly at: number;
  readonly why: string;
}

const FETCH_PATIENCE_MS = 20_000;
const RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

export const findElectron = async (deps: FindElectronDeps): Promise<FoundElectron> => {
  const noDisplay = whyNoDisplay(deps);
  if (noDisplay !== undefined) return { ok: false, why: noDisplay };
  if (deps.platform === "linux" && deps.uid === 0) {
    return {
      ok: false,
      why: "the window's sandbox does not work as root; start the lab as an ordinary user",
    };
  }
  const version = packageVersion(deps.packageDir);
  if (version === undefined) return { ok: false, why: "the package electron is not installed; run npm ci" };
  const there = electronBinary(deps, version);
  if (there !== undefined) return { ok: true, binary: there };

  const memory = readMemory(deps.memoryFile);
  if (!deps.retry && memory?.version === version && deps.now() - memory.at < RETRY_AFTER_MS) {
    return {
      ok: false,
      why: `${memory.why}; the lab tries again once a day, or now with: npm start -- --retry-electron`,
    };
  }
  deps.say(`Downloading Electron ${version}, which shows the lab in a window …`);
  const fetched = await deps.fetchElectron(deps.packageDir, FETCH_PATIENCE_MS);
  const binary = electronBinary(deps, version);
  if (binary !== undefined) {
    rmSync(deps.memoryFile, { force: true });
    return { ok: true, binary };
  }
  const why = fetched.ok ? "Electron was downloaded, but its program is not there" : fetched.why;
  mkdirSync(dirname(deps.memoryFile), { recursive: true });
  writeFileSync(deps.memoryFile, JSON.stringify({ version, at: deps.now(), why } satisfies Memory));
  return { ok: false, why };
};

const packageVersion = (packageDir: string): string | undefined => {
  try {
    return (JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as { version: string })
      .version;
  } catch {
    return undefined;
  }
};

/** The program, where the package's downloader has put it, if its version is the right one. */
const electronBinary = (
  { packageDir, env }: Pick<FindElectronDeps, "packageDir" | "env">,
  version: string,
): string | undefined => {
  try {
    const dist = env.ELECTRON_OVERRIDE_DIST_PATH;
    if (dist === undefined) {
      const unpacked = readFileSync(join(packageDir, "dist", "version"), "utf8")
        .trim()
        .replace(/^v/, "");
      if (unpacked !== version) return undefined;
    }
    const name = readFileSync(join(packageDir, "path.txt"), "utf8");
    const binary = join(dist ?? join(packageDir, "dist"), name);
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
};

const readMemory = (file: string): Memory | undefined => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Memory;
  } catch {
    return undefined;
  }
};

/** Runs node_modules/electron/install.js, which downloads the binary, verifies its checksum and unpacks it. */
export const fetchElectron = async (packageDir: string, patienceMs: number): Promise<FetchResult> => {
  const child = spawn(process.execPath, [join(packageDir, "install.js")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-8000);
  });
  const code = await ended(child, patienceMs);
  if (code === 0) return { ok: true };
  if (code === "late") {
    return {
      ok: false,
      why: `Electron could not be downloaded within ${patienceMs / 1000} seconds; on a slow connection run: node node_modules/electron/install.js`,
    };
  }
  return { ok: false, why: `Electron could not be downloaded (${reasonIn(said)})` };
};

const ended = (child: ChildProcess, patienceMs: number): Promise<number | "late"> =>
  new Promise((resolve) => {
    const late = setTimeout(() => {
      resolve("late");
      child.kill("SIGKILL");
    }, patienceMs);
    const end = (code: number | null) => {
      clearTimeout(late);
      resolve(code ?? 1);
    };
    child.on("error", () => end(null));
    child.on("close", end);
  });

/** The line of the output that says what went wrong. */
const reasonIn = (text: string): string => {
  const cause =
    /\b(getaddrinfo|connect|read) E[A-Z_]+[^\n]*|\bE(?:NOTFOUND|AI_AGAIN|CONNREFUSED)\b[^\n]*/.exec(
      text,
    )?.[0];
  const line = text.split("\n").find((each) => /error/i.test(each));
  return (cause ?? line ?? "its downloader gave no reason")
    .replace(/^\s*\w*Error: /, "")
    .trim()
    .slice(0, 200);
};
