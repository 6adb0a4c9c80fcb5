import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "#contract/failure.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import { type BuildTools, buildBinding, findBuildTools } from "./build-tools.ts";
import { fetchWheel, unpackWheel, WHEEL } from "./fetch-tensorflow.ts";
import { defaultEngineDir, packageInEngineDir, TENSORFLOW_VERSION, TFJS_NODE_VERSION } from "./folder.ts";
import { needTool, runTool, type ToolOutput } from "./run-tool.ts";

export interface InstallProgress {
  readonly step: number;
  readonly steps: number;
  readonly message: string;
}

export interface InstallOptions {
  /** Default as `defaultEngineDir`. */
  readonly dir?: string;
  /** node-gyp's program; default: the lab's own, or the one that npm brings. */
  readonly nodeGyp?: string;
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly signal?: AbortSignal;
}

const STEPS = [
  "looking for python3 with pip, npm, g++ and make",
  `fetching @tensorflow/tfjs-node ${TFJS_NODE_VERSION} from npm`,
  `fetching TensorFlow ${TENSORFLOW_VERSION} from PyPI (${WHEEL.megabytes} MB)`,
  "unpacking TensorFlow's library and headers",
  "building the binding",
  "training one step as a check",
] as const;

/** Runs in a process of its own: a library that crashes ends only that one. */
const CHECK = `
const util = require("util");
util.isNullOrUndefined ??= (v) => v == null;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
const x = tf.ones([4, 6, 6, 3]), w = tf.variable(tf.fill([3, 3, 3, 2], 0.1));
const loss = () => tf.conv2d(x, w, 1, "valid").sub(1).square().mean();
const before = loss().dataSync()[0];
tf.train.sgd(0.01).minimize(loss);
const after = loss().dataSync()[0];
if (!(after < before)) throw new Error("a training step did not lower the loss: " + before + " -> " + after);
console.log(JSON.stringify({ backend: tf.getBackend(), tensorflow: tf.backend().binding.TF_Version }));
`;

const checkEngine = async (packageDir: string, signal?: AbortSignal): Promise<ToolOutput> =>
  runTool(process.execPath, ["-e", CHECK, packageDir], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2", NODE_OPTIONS: "" },
    signal,
  });

const describe = (dir: string, check: ToolOutput): EngineInfo => {
  const { tensorflow } = JSON.parse(check.stdout.trim().split("\n").at(-1) ?? "{}") as { tensorflow: string };
  return {
    kind: "native",
    version: `tfjs-node ${TFJS_NODE_VERSION}, TensorFlow ${tensorflow}`,
    path: packageInEngineDir(dir),
    threads: 1,
  };
};

/** Whether a folder holds this version's engine, by the marker that an installation writes last. */
const isInstalled = async (marker: string): Promise<boolean> => {
  if (!existsSync(marker)) return false;
  const { tfjsNode, tensorflow } = JSON.parse(await readFile(marker, "utf8")) as Record<string, string>;
  return tfjsNode === TFJS_NODE_VERSION && tensorflow === TENSORFLOW_VERSION;
};

const fetchTfjsNode = async (work: string, signal: AbortSignal | undefined): Promise<void> => {
  await writeFile(path.join(work, "package.json"), '{ "private": true }\n');
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund"];
  const installing = runTool("npm", ["install", ...quietly, `@tensorflow/tfjs-node@${TFJS_NODE_VERSION}`], {
    cwd: work,
    signal,
  });
  await needTool(
    installing,
    "npm could not fetch tfjs-node",
    "See npm's own message and the registry that npm uses:",
  );
};

type Progress = (step: number, message?: string) => void;

/** Makes a whole engine in `work`. Returns what its check printed. */
const makeEngine = async (
  work: string,
  { python, nodeGyp }: BuildTools,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<ToolOutput> => {
  progress(1);
  await fetchTfjsNode(work, signal);
  progress(2);
  const told = (arrived: number) =>
    progress(2, `downloading TensorFlow: ${arrived} of ${WHEEL.megabytes} MB`);
  const wheel = await fetchWheel(python, path.join(work, "wheel"), told, signal);
  progress(3);
  const tfjsNode = packageInEngineDir(work);
  await unpackWheel(python, wheel, tfjsNode, signal);
  progress(4);
  await buildBinding(nodeGyp, tfjsNode, signal);
  progress(5);
  const check = await checkEngine(tfjsNode, signal);
  if (check.code !== 0) {
    throw new UserError(`the engine was built but does not train on this computer:\n${check.tail}`, {
      exitCode: 1,
    });
  }
  const marker = { tfjsNode: TFJS_NODE_VERSION, tensorflow: TENSORFLOW_VERSION };
  await writeFile(path.join(work, "engine.json"), `${JSON.stringify(marker, null, 2)}\n`);
  return check;
};

/** Renames the finished folder into place, over an older one. */
const moveIntoPlace = async (work: string, dir: string): Promise<void> => {
  const old = `${dir}.old-${process.pid}`;
  const replaces = existsSync(dir);
  if (replaces) await rename(dir, old);
  await rename(work, dir);
  // Processes that still run the old library keep its files open; their names can go now.
  if (replaces) await rm(old, { recursive: true, force: true });
};

/**
 * Makes the native engine folder: tfjs-node from npm without its install script, TensorFlow's library and headers from
 * PyPI's wheel, the binding built against them, one training step as a check. It works beside the folder and renames
 * the result into place at the end, so a failed attempt leaves nothing behind; on a folder that is already good it
 * only runs the check.
 * @throws UserError that names what is missing on this computer or what could not be fetched.
 */
export const installEngine = async (options: InstallOptions = {}): Promise<EngineInfo> => {
  const dir = path.resolve(options.dir ?? defaultEngineDir());
  const { signal } = options;
  const progress: Progress = (step, message = STEPS[step]!) =>
    options.onProgress?.({ step: step + 1, steps: STEPS.length, message });
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new UserError(
      `the native engine folder can be made on Linux x64 only, this is ${process.platform} ${process.arch}; the lab works with wasm`,
      { exitCode: 1 },
    );
  }
  if (await isInstalled(path.join(dir, "engine.json"))) {
    progress(5);
    const check = await checkEngine(packageInEngineDir(dir), signal);
    if (check.code === 0) return describe(dir, check);
  }
  progress(0);
  const tools = await findBuildTools(options.nodeGyp, signal);
  const work = `${dir}.partial-${process.pid}`;
  try {
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    const check = await makeEngine(work, tools, progress, signal);
    await moveIntoPlace(work, dir);
    return describe(dir, check);
  } finally {
    // A program that was just told to stop may write one more file meanwhile.
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
};
