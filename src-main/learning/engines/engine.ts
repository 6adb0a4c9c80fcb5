import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import path from "node:path";
import { UserError } from "#contract/failure.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import { createComposedOps } from "./composed-ops.ts";
import { defaultEngineDir, packageInEngineDir } from "./folder.ts";
import { loadNative, packageVersion, whyNotUsable } from "./load-native.ts";
import { loadWasm } from "./load-wasm.ts";
import type { Ops, Tf } from "./ops.ts";
import { createTensorflowOps } from "./tensorflow-ops.ts";

export type EngineKind = EngineInfo["kind"];

/** What computes: tfjs on one of its backends. One per process. */
export interface Engine {
  readonly tf: Tf;
  readonly ops: Ops;
  readonly info: EngineInfo;
}

export interface EngineOptions {
  /** Take this one and no other. FEDFLEET_ENGINE in the environment does the same and wins. */
  readonly prefer?: EngineKind;
  /** Threads for one operation; default: all that the computer offers. wasm has one. */
  readonly threads?: number;
  /** The native engine folder; default as `defaultEngineDir`. */
  readonly engineDir?: string;
}

export interface EngineCandidate {
  readonly kind: EngineKind;
  readonly path: string;
  readonly version: string;
  readonly usable: boolean;
  /** Why it is not usable, and what mends it. */
  readonly reason?: string;
  /** Whether `openEngine` would take it. */
  readonly chosen: boolean;
}

const KINDS: readonly EngineKind[] = ["tfjs-node", "native", "wasm"];

const installedPackage = (): string | undefined => {
  try {
    return path.dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-node/package.json"));
  } catch {
    return undefined;
  }
};

const forcedKind = (prefer: EngineKind | undefined): EngineKind | undefined => {
  const wish = process.env.FEDFLEET_ENGINE;
  if (!wish) return prefer;
  if (!(KINDS as readonly string[]).includes(wish)) {
    throw new UserError(`FEDFLEET_ENGINE is "${wish}"; write ${KINDS.join(", ")}, or leave it out`);
  }
  return wish as EngineKind;
};

/** Every engine that this computer could have, in the order of preference; loads none of them. */
export const listEngines = async (options: EngineOptions = {}): Promise<EngineCandidate[]> => {
  const forced = forcedKind(options.prefer);
  const engineDir = options.engineDir ?? defaultEngineDir();
  const native = (kind: EngineKind, folder: string | undefined, mend: string) => {
    const problem = folder === undefined ? "tfjs-node is not there" : whyNotUsable(folder);
    return {
      kind,
      path: folder ?? "",
      version: folder !== undefined && problem === undefined ? packageVersion(folder) : "",
      usable: problem === undefined,
      ...(problem === undefined ? {} : { reason: `${problem}; ${mend}` }),
    };
  };
  const require = createRequire(import.meta.url);
  const wasm = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  const candidates = [
    native("tfjs-node", installedPackage(), "npm ci installs it where its download is possible"),
    native("native", packageInEngineDir(engineDir), "make it with: fedfleet engine install"),
    { kind: "wasm" as const, path: wasm, version: packageVersion(wasm), usable: true },
  ];
  const chosen = candidates.find((c) => (forced === undefined ? c.usable : c.kind === forced));
  return candidates.map((c) => ({ ...c, chosen: c === chosen && c.usable }));
};

/**
 * Opens the engine of this process: the installed tfjs-node, else the native engine folder, else wasm.
 * @throws UserError where the one that was asked for cannot be loaded.
 */
export const openEngine = async (options: EngineOptions = {}): Promise<Engine> => {
  const forced = forcedKind(options.prefer);
  const threads = options.threads ?? availableParallelism();
  for (const candidate of await listEngines(options)) {
    if (forced !== undefined && candidate.kind !== forced) continue;
    if (!candidate.usable) {
      if (forced === undefined) continue;
      throw new UserError(`the engine ${forced} cannot be used: ${candidate.reason}`);
    }
    if (candidate.kind === "wasm") {
      const { tf, version, path: folder } = await loadWasm();
      return { tf, ops: createComposedOps(tf), info: { kind: "wasm", version, path: folder, threads: 1 } };
    }
    try {
      const { tf, version } = loadNative(candidate.path, threads);
      return {
        tf,
        ops: createTensorflowOps(tf),
        info: { kind: candidate.kind, version, path: candidate.path, threads },
      };
    } catch (cause) {
      // A native library that does not fit this computer is no reason to stop: the next one may.
      if (forced !== undefined) {
        throw new UserError(`the engine ${forced} at ${candidate.path} cannot be loaded: ${String(cause)}`, {
          cause,
        });
      }
    }
  }
  throw new UserError("no engine can be loaded; run npm ci again, then fedfleet doctor");
};
