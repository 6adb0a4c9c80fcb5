/**
 * `npm start`: opens the lab in a window of its own, or says why that is not possible and serves it to the browser.
 * Everything after `npm start --` but --retry-electron is an option of `fedfleet serve`.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { UserError } from "./contract/failure.ts";
import { ensureBuilt } from "./hosts/build-page.ts";
import { parseCommandLine } from "./hosts/cli/arguments.ts";
import { fetchElectron, findElectron } from "./hosts/desktop/find-electron.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** A window that ends with an error before this never opened: a library of the system is missing, or its sandbox. */
const STILLBORN_MS = 5000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Shows the lab in its window until that is closed. */
const showWindow = async (
  binary: string,
  dataDir: string | undefined,
): Promise<{ code: number; afterMs: number }> => {
  const startedAt = performance.now();
  const child = spawn(binary, [ROOT], {
    stdio: "inherit",
    env: { ...process.env, ...(dataDir === undefined ? {} : { FEDFLEET_DATA_DIR: dataDir }) },
  });
  // The terminal sends Ctrl-C to the window's process as well, which closes in order; this one waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
  });
  return { code, afterMs: performance.now() - startedAt };
};

const start = async (argv: readonly string[]): Promise<number> => {
  const serveArgv = ["serve", ...argv.filter((word) => word !== "--retry-electron")];
  // What is misspelt is said before anything is fetched or built.
  const command = parseCommandLine(serveArgv);
  const found =
    command.name === "serve"
      ? await findElectron({
          platform: process.platform,
          env: process.env,
          uid: process.getuid?.(),
          packageDir: join(ROOT, "node_modules", "electron"),
          memoryFile: join(ROOT, "out", "electron.json"),
          retry: argv.includes("--retry-electron"),
          now: Date.now,
          say,
          fetchElectron,
        })
      : undefined;
  let why = found?.ok === false ? found.why : undefined;
  if (found?.ok && command.name === "serve") {
    await ensureBuilt("desktop", say);
    const { code, afterMs } = await showWindow(found.binary, command.dataDir);
    if (code === 0 || afterMs > STILLBORN_MS) return code;
    why = `Electron ended at once (exit code ${code})`;
  }
  if (why !== undefined) say(`No window of its own: ${why}. The lab is served to the browser instead.`);
  const { runHeadless } = await import("./lab/headless.ts");
  return await runHeadless(serveArgv);
};

try {
  process.exitCode = await start(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`fedfleet: ${error.message}`);
  process.exitCode = error.exitCode;
}
