import { homedir } from "node:os";
import path from "node:path";

/** The versions of tfjs-node and of TensorFlow in the native engine folder. */
export const TFJS_NODE_VERSION = "4.22.0";
export const TENSORFLOW_VERSION = "2.15.1";

/**
 * Where the native engine folder is: FEDFLEET_ENGINE_DIR, else below the user's data directory. It lies outside
 * the clone on purpose: `npm ci` keeps it.
 */
export const defaultEngineDir = (environment: NodeJS.ProcessEnv = process.env): string =>
  environment.FEDFLEET_ENGINE_DIR ||
  path.join(environment.XDG_DATA_HOME || path.join(homedir(), ".local", "share"), "fedfleet", "engine");

/** tfjs-node's package inside a native engine folder. */
export const packageInEngineDir = (engineDir: string): string =>
  path.join(engineDir, "node_modules", "@tensorflow", "tfjs-node");
