import { UserError } from "#contract/failure.ts";
import { parseCommandLine } from "#main/hosts/cli/arguments.ts";
import type { FoundElectron } from "./find-electron.ts";
import type { WindowEnd } from "./show-window.ts";

export interface StartPorts {
  findElectron(retry: boolean): Promise<FoundElectron>;
  /** Builds the desktop where its sources have changed. */
  build(): Promise<void>;
  showWindow(binary: string, dataDir: string | undefined): Promise<WindowEnd>;
  /** Carries out a command line: `serve …`. @returns its exit code. */
  serve(argv: readonly string[]): Promise<number>;
  say(line: string): void;
}

const RETRY = "--retry-electron";
/** A window that fails sooner never opened: a system library is missing, or its sandbox does not work. */
const NEVER_OPENED_MS = 5000;

/**
 * Opens the lab in a window, or says why that is not possible and serves it to the browser.
 * @param argv the options of `fedfleet serve`, and --retry-electron
 * @returns the exit code
 */
export const startLab = async (argv: readonly string[], ports: StartPorts): Promise<number> => {
  try {
    return await windowOrBrowser(argv, ports);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    ports.say(`fedfleet: ${error.message}`);
    return error.exitCode;
  }
};

const windowOrBrowser = async (argv: readonly string[], ports: StartPorts): Promise<number> => {
  const serveArgv = ["serve", ...argv.filter((word) => word !== RETRY)];
  // A misspelt option is reported before anything is fetched or built.
  const command = parseCommandLine(serveArgv);
  if (command.name !== "serve") return await ports.serve(serveArgv);
  const shown = await tryWindow(command.dataDir, argv.includes(RETRY), ports);
  if ("code" in shown) return shown.code;
  ports.say(`No window: ${shown.why}. Serving the lab to your browser instead.`);
  return await ports.serve(serveArgv);
};

/** @returns the window's exit code, or why there was no window. */
const tryWindow = async (
  dataDir: string | undefined,
  retry: boolean,
  ports: StartPorts,
): Promise<{ readonly code: number } | { readonly why: string }> => {
  const found = await ports.findElectron(retry);
  if (!found.ok) return { why: found.why };
  await ports.build();
  const { code, afterMs } = await ports.showWindow(found.binary, dataDir);
  return code === 0 || afterMs > NEVER_OPENED_MS
    ? { code }
    : { why: `Electron ended immediately (exit code ${code})` };
};
