import type { EngineInfo } from "#contract/jobs.ts";

/** What an engine is called in the page. */
export const ENGINE_TITLES: Readonly<Record<EngineInfo["kind"], string>> = {
  "tfjs-node": "TensorFlow, npm package",
  native: "TensorFlow, engine folder",
  wasm: "WebAssembly (slow)",
};

/** What it trains with, where there is little room: both installations of TensorFlow do the same. */
export const SHORT_ENGINE_TITLES: Readonly<Record<EngineInfo["kind"], string>> = {
  "tfjs-node": "TensorFlow",
  native: "TensorFlow",
  wasm: "WebAssembly (slow)",
};
