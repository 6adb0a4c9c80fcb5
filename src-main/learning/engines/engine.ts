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
import { firstLine, whyNotLoadable } from "./try-native.ts";

export type EngineKind = EngineInfo["kind"];

/** tfjs on one of its backends, and the operations that models use. One per process. */
export interface Engine {
  readonly tf: Tf;
  readonly ops: Ops;
  readonly info: EngineInfo;
}

export interface EngineOptions {
  /** Use this engine and no other. FEDFLEET_ENGINE in the environment does the same and takes precedence. */
  readonly prefer?: EngineKind;
  /** Threads per operation; default: all threads of the computer. wasm has one. */
  readonly threads?: number;
  /** The native engine folder; default as `defaultEngineDir`. */
  readonly engineDir?: string;
  /** Says why a tfjs-node cannot be loaded, without loading it in this process; default: `whyNotLoadable`. */
  readonly tryToLoad?: (packageDir: string) => Promise<string | undefined>;
}

export interface EngineCandidate {
  readonly kind: EngineKind;
  readonly path: string;
  readonly version: string;
  readonly usable: boolean;
  /** Why it is not usable, and how to fix that. */
  readonly reason?: string;
  /** Whether `openEngine` would take it. */
  readonly chosen: boolean;
}

const FIX = {
  "tfjs-node": "npm ci installs it if it can be downloaded",
  native: "create it with: fedfleet engine install",
} as const;

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
    throw new UserError(`FEDFLEET_ENGINE is "${wish}"; use ${KINDS.join(", ")}, or leave it unset`);
  }
  return wish as EngineKind;
};

type Looked = Omit<EngineCandidate, "chosen">;

/** Every engine that this computer could have, in the order of preference, judged by the files in its folder. */
const lookForEngines = (engineDir: string = defaultEngineDir()): Looked[] => {
  const native = (kind: EngineKind, folder: string | undefined, fix: string): Looked => {
    const problem = folder === undefined ? "tfjs-node is not installed" : whyNotUsable(folder);
    return {
      kind,
      path: folder ?? "",
      version: folder !== undefined && problem === undefined ? packageVersion(folder) : "",
      usable: problem === undefined,
      ...(problem === undefined ? {} : { reason: `${problem}; ${fix}` }),
    };
  };
  const require = createRequire(import.meta.url);
  const wasm = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));
  return [
    native("tfjs-node", installedPackage(), FIX["tfjs-node"]),
    native("native", packageInEngineDir(engineDir), FIX.native),
    { kind: "wasm", path: wasm, version: packageVersion(wasm), usable: true },
  ];
};

/** Tries to load an engine that looks usable: its library may be complete and still not fit this computer. */
const tried = async (
  candidate: Looked,
  tryToLoad: NonNullable<EngineOptions["tryToLoad"]> = whyNotLoadable,
): Promise<Looked> => {
  if (!candidate.usable || candidate.kind === "wasm") return candidate;
  const problem = await tryToLoad(candidate.path);
  if (problem === undefined) return candidate;
  return { ...candidate, usable: false, reason: `it cannot be loaded: ${problem}; ${FIX[candidate.kind]}` };
};

/**
 * Every engine that this computer could have, in the order of preference. To be sure, native ones that look usable are
 * loaded, each in a short-lived process of its own (up to 20 s if one hangs); this process loads none.
 */
export const listEngines = async (options: EngineOptions = {}): Promise<EngineCandidate[]> => {
  const forced = forcedKind(options.prefer);
  const candidates = await Promise.all(
    lookForEngines(options.engineDir).map((candidate) => tried(candidate, options.tryToLoad)),
  );
  const chosen = candidates.find((c) => (forced === undefined ? c.usable : c.kind === forced));
  return candidates.map((c) => ({ ...c, chosen: c === chosen && c.usable }));
};

/**
 * Opens the engine of this process: the installed tfjs-node, else the native engine folder, else wasm. Where one looked
 * usable and did not load, `info.note` of the engine that is used instead says so.
 * @throws UserError when the engine that was asked for cannot be loaded.
 */
export const openEngine = async (options: EngineOptions = {}): Promise<Engine> => {
  const forced = forcedKind(options.prefer);
  const threads = options.threads ?? availableParallelism();
  const passedOver: string[] = [];
  const note = () =>
    passedOver.length === 0 ? {} : { note: `${passedOver.join(", and ")}, so the next best engine is used` };
  for (const candidate of lookForEngines(options.engineDir)) {
    if (forced !== undefined && candidate.kind !== forced) continue;
    if (!candidate.usable) {
      if (forced === undefined) continue;
      throw new UserError(`the engine ${forced} cannot be used: ${candidate.reason}`);
    }
    if (candidate.kind === "wasm") {
      const { tf, version, path: folder } = await loadWasm();
      return {
        tf,
        ops: createComposedOps(tf),
        info: { kind: "wasm", version, path: folder, threads: 1, ...note() },
      };
    }
    try {
      const { tf, version } = loadNative(candidate.path, threads);
      return {
        tf,
        ops: createTensorflowOps(tf),
        info: { kind: candidate.kind, version, path: candidate.path, threads, ...note() },
      };
    } catch (cause) {
      // A native library that does not fit this computer is no reason to stop: the next engine may fit.
      if (forced !== undefined) {
        throw new UserError(`the engine ${forced} at ${candidate.path} cannot be loaded: ${String(cause)}`, {
          cause,
        });
      }
      passedOver.push(
        `the engine ${candidate.kind} at ${candidate.path} cannot be loaded (${firstLine(cause)})`,
      );
    }
  }
  throw new UserError("no engine can be loaded; run npm ci again, then fedfleet doctor");
};
