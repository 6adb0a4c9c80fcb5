import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import util from "node:util";
import type { Tf } from "./ops.ts";
import type { TensorflowBackend } from "./tensorflow-ops.ts";

/**
 * tfjs-node 4.22.0 calls type checks that Node removed from `util` in version 23. This restores them under their
 * old names before it is loaded; nothing else uses them. The function uses only its argument, because another process
 * runs its text.
 */
export const restoreUtil = (legacy: Record<string, unknown>): void => {
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;
  legacy.isString ??= (value: unknown) => typeof value === "string";
  legacy.isNumber ??= (value: unknown) => typeof value === "number";
  legacy.isBoolean ??= (value: unknown) => typeof value === "boolean";
  legacy.isUndefined ??= (value: unknown) => value === undefined;
  legacy.isFunction ??= (value: unknown) => typeof value === "function";
  legacy.isObject ??= (value: unknown) => typeof value === "object" && value !== null;
};

/** TensorFlow reads these once, when its library starts. A log level that a person has set is kept. */
const configureTensorflow = (threads: number): void => {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  process.env.TF_NUM_INTEROP_THREADS = "1";
};

/** Why tfjs-node cannot be loaded from a package folder, or undefined where it looks complete. */
export const whyNotUsable = (packageDir: string): string | undefined => {
  if (!existsSync(path.join(packageDir, "package.json"))) return "tfjs-node is not installed";
  const bindings = ["napi-v8", "napi-v9", "napi-v7", "napi-v6", "napi-v5", "napi-v4", "napi-v3"];
  if (!bindings.some((n) => existsSync(path.join(packageDir, "lib", n, "tfjs_binding.node")))) {
    return "its native binding was not built (its install script did not run, or could not download the library)";
  }
  return undefined;
};

export const packageVersion = (packageDir: string): string => {
  const manifest = JSON.parse(readFileSync(path.join(packageDir, "package.json"), "utf8"));
  return String((manifest as { version?: unknown }).version ?? "unknown");
};

/**
 * Loads tfjs-node from its package folder, with the tfjs-core of its own that it brings.
 * @throws what the loader throws when the library does not fit this computer.
 */
export const loadNative = (packageDir: string, threads: number): { tf: Tf; version: string } => {
  restoreUtil(util as unknown as Record<string, unknown>);
  configureTensorflow(threads);
  const require = createRequire(path.join(packageDir, "package.json"));
  const loaded = require(packageDir) as Tf;
  // tfjs prints advice for Node developers; the output of the lab is read by programs.
  loaded.env().set("IS_TEST", true);
  const { binding } = loaded.backend() as unknown as TensorflowBackend;
  return { tf: loaded, version: `tfjs-node ${packageVersion(packageDir)}, TensorFlow ${binding.TF_Version}` };
};
