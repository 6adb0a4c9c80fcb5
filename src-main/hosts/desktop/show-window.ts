import { spawn } from "node:child_process";
import process from "node:process";

/** How a window that was shown in a process of its own has ended. */
export interface WindowEnd {
  readonly code: number;
  readonly afterMs: number;
}

/**
 * Shows the lab in Electron until its window is closed.
 * @param binary Electron's program
 * @param root the checkout whose built app it shows
 */
export const showWindow = async (
  binary: string,
  root: string,
  dataDir: string | undefined,
): Promise<WindowEnd> => {
  const startedAt = performance.now();
  const child = spawn(binary, [root], {
    stdio: "inherit",
    env: { ...process.env, ...(dataDir === undefined ? {} : { FEDFLEET_DATA_DIR: dataDir }) },
  });
  // The terminal sends Ctrl-C to Electron as well, which closes in order; this process waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (status, signal) => resolve(status ?? (signal === null ? 1 : 128)));
  });
  return { code, afterMs: performance.now() - startedAt };
};
