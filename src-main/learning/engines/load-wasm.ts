import { createRequire } from "node:module";
import path from "node:path";
import type { Tf } from "./ops.ts";
import { registerMissingWasmKernels } from "./wasm-kernels.ts";

/**
 * Emscripten's start-up code takes over this process's uncaught exceptions and rejections. A failure of the lab
 * must look like one of the lab, so listeners that were added meanwhile are removed.
 */
const keepProcessListeners = async (start: () => Promise<boolean>): Promise<boolean> => {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as "uncaughtException")));
  const result = await start();
  events.forEach((event, i) => {
    for (const listener of process.listeners(event as "uncaughtException")) {
      if (!before[i]!.has(listener)) process.removeListener(event, listener);
    }
  });
  return result;
};

/** Loads tfjs with its WebAssembly backend from node_modules: always installed, without native code. */
export const loadWasm = async (): Promise<{ tf: Tf; version: string; path: string }> => {
  const require = createRequire(import.meta.url);
  const tf = require("@tensorflow/tfjs-core") as Tf;
  const backend = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");
  const folder = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm"));
  backend.setWasmPaths(`${folder}${path.sep}`);
  registerMissingWasmKernels(tf);
  if (!(await keepProcessListeners(() => tf.setBackend("wasm"))))
    throw new Error("the WebAssembly backend did not start");
  await tf.ready();
  return { tf, version: `tfjs ${tf.version_core}, wasm`, path: folder };
};
