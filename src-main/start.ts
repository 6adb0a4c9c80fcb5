/** `npm start`: opens the lab in a window, or in the browser where there can be no window. It holds no logic. */
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { fetchElectron, findElectron } from "./hosts/desktop/find-electron.ts";
import { showWindow } from "./hosts/desktop/show-window.ts";
import { startLab } from "./hosts/desktop/start-lab.ts";
import { ensureBuilt } from "./hosts/ensure-built.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

process.exitCode = await startLab(process.argv.slice(2), {
  findElectron: (retry) =>
    findElectron({
      platform: process.platform,
      env: process.env,
      uid: process.getuid?.(),
      packageDir: join(ROOT, "node_modules", "electron"),
      memoryFile: join(ROOT, "out", "electron.json"),
      retry,
      now: Date.now,
      say,
      fetchElectron,
    }),
  build: () => ensureBuilt("desktop", say),
  showWindow: (binary, dataDir) => showWindow(binary, ROOT, dataDir),
  async serve(argv) {
    // Loaded only where it is needed: it brings the engines along.
    const { runHeadless } = await import("./lab/headless.ts");
    return await runHeadless(argv);
  },
  say,
});
