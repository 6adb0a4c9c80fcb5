import { defineConfig } from "electron-vite";
import { rendererConfig } from "#renderer/vite.config.ts";

const from = (path: string) => new URL(path, import.meta.url).pathname;

/**
 * Builds the desktop: what runs in Electron's main process and in its children, the preload of the window, and the
 * page. Packages stay in node_modules; what starts with # is our own, by the names in package.json's `imports`.
 */
export default defineConfig({
  main: {
    resolve: { alias: { "#contract": from("./src-main/contract"), "#main": from("./src-main") } },
    build: {
      outDir: from("out/main"),
      target: "node24",
      // Names and lines in what a crash says.
      minify: false,
      rolldownOptions: {
        // One file per process, side by side: each finds the others by its own URL.
        input: {
          main: from("./src-main/main.ts"),
          "device-worker": from("./src-main/processes/device-worker.ts"),
          "evaluation-worker": from("./src-main/processes/evaluation-worker.ts"),
          "data-worker": from("./src-main/processes/data-worker.ts"),
          "report-worker": from("./src-main/processes/report-worker.ts"),
          "engine-worker": from("./src-main/processes/engine-worker.ts"),
        },
        output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "parts/[name]-[hash].js" },
      },
    },
  },
  preload: {
    build: {
      outDir: from("out/preload"),
      // In a sandboxed window a preload is one CommonJS file that can load nothing but Electron.
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: from("./src-main/preload.ts") },
        output: { format: "cjs", entryFileNames: "[name].cjs" },
      },
    },
  },
  // The folder of a file that is bundled into this one is this one's.
  renderer: { ...rendererConfig, root: from("./src-renderer") },
});
