import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { UserError } from "#contract/failure.ts";
import type { EngineInfo } from "#contract/jobs.ts";
import { withTicks } from "./download-ticks.ts";
import { defaultEngineDir, packageInEngineDir, TENSORFLOW_VERSION, TFJS_NODE_VERSION } from "./folder.ts";

export interface InstallProgress {
  readonly step: number;
  readonly steps: number;
  readonly message: string;
}

export interface InstallOptions {
  /** Default as `defaultEngineDir`. */
  readonly dir?: string;
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly signal?: AbortSignal;
}

/** The wheel is the same for every Python 3 that has pip: its files are taken, Python does not run it. */
const WHEEL = {
  requirement: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
  platform: "manylinux2014_x86_64",
  python: "3.11",
  megabytes: 207,
  sha256: "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
};

const STEPS = [
  "looking for python3 with pip, npm, g++ and make",
  `fetching @tensorflow/tfjs-node ${TFJS_NODE_VERSION} from npm`,
  `fetching TensorFlow ${TENSORFLOW_VERSION} from PyPI (${WHEEL.megabytes} MB)`,
  "unpacking TensorFlow's library and headers",
  "building the binding",
  "training one step as a check",
] as const;

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly tail: string;
}

const execute = (
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined } = {},
): Promise<Output> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let stdout = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      all += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (options.signal?.aborted) {
        reject(new UserError("stopped; nothing is left behind, run it again", { exitCode: 130 }));
      } else if (error.code === "ENOENT") resolve({ code: 127, stdout: "", tail: `${command}: not found` });
      else reject(error);
    });
    child.on("close", (code) =>
      resolve({ code: code ?? 1, stdout, tail: all.trimEnd().split("\n").slice(-15).join("\n") }),
    );
  });

const need = async (output: Promise<Output>, what: string, mend: string): Promise<Output> => {
  const result = await output;
  if (result.code !== 0) throw new UserError(`${what}. ${mend}\n${result.tail}`, { exitCode: 1 });
  return result;
};

/** Takes the library and the headers out of the wheel, which is a zip file; prints nothing. */
const UNPACK = `
import sys, zipfile
wheel, target = sys.argv[1:]
wanted = ("tensorflow/include/tensorflow/", "tensorflow/include/tsl/", "tensorflow/include/xla/",
          "tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if name.startswith(wanted):
            z.extract(name, target)
`;

/** Runs in a process of its own: a library that crashes takes only that one with it. */
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

const checkEngine = async (packageDir: string, signal?: AbortSignal): Promise<Output> =>
  execute(process.execPath, ["-e", CHECK, packageDir], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2", NODE_OPTIONS: "" },
    signal,
  });

const describe = (dir: string, check: Output): EngineInfo => {
  const { tensorflow } = JSON.parse(check.stdout.trim().split("\n").at(-1) ?? "{}") as { tensorflow: string };
  return {
    kind: "native",
    version: `tfjs-node ${TFJS_NODE_VERSION}, TensorFlow ${tensorflow}`,
    path: packageInEngineDir(dir),
    threads: 1,
  };
};

const findPython = async (signal: AbortSignal | undefined): Promise<string> => {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const { code } = await execute(python, ["-m", "pip", "--version"], { signal });
    if (code === 0) return python;
  }
  throw new UserError("python3 with pip is missing. On Debian or Ubuntu: apt-get install python3-pip", {
    exitCode: 1,
  });
};

/** node-gyp's program: the lab's own, or the one that npm carries. */
const findNodeGyp = async (signal: AbortSignal | undefined): Promise<string> => {
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    const { stdout } = await execute("npm", ["root", "-g"], { signal });
    const bundled = path.join(stdout.trim(), "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
    if (existsSync(bundled)) return bundled;
    throw new UserError("node-gyp is missing. Install it with: npm install -g node-gyp", { exitCode: 1 });
  }
};

/** Headers that are already on this computer, so that node-gyp downloads none. Node-API is the same in all. */
const headersArgument = (): string[] => {
  const roots = [path.dirname(process.execPath), path.dirname(path.dirname(process.execPath)), "/usr"];
  const root = roots.find((r) => existsSync(path.join(r, "include", "node", "node_api.h")));
  return root === undefined ? [] : [`--nodedir=${root}`];
};

/**
 * Makes the native engine folder: tfjs-node from npm without its install script, TensorFlow's library and
 * headers out of PyPI's wheel, the binding built against them, one training step as a check. Works beside the
 * folder and renames it into place at the end, so a broken attempt leaves nothing behind, and running it again
 * on a good folder only checks it.
 * @throws UserError naming what is missing on this computer or what could not be fetched.
 */
export const installEngine = async (options: InstallOptions = {}): Promise<EngineInfo> => {
  const dir = path.resolve(options.dir ?? defaultEngineDir());
  const { signal } = options;
  const progress = (step: number, message: string = STEPS[step]!) =>
    options.onProgress?.({ step: step + 1, steps: STEPS.length, message });
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new UserError(
      `the native engine folder can be made on Linux x64 only, this is ${process.platform} ${process.arch}; the lab works with wasm`,
      { exitCode: 1 },
    );
  }
  const marker = path.join(dir, "engine.json");
  if (existsSync(marker)) {
    const { tfjsNode, tensorflow } = JSON.parse(await readFile(marker, "utf8")) as Record<string, string>;
    if (tfjsNode === TFJS_NODE_VERSION && tensorflow === TENSORFLOW_VERSION) {
      progress(5);
      const check = await checkEngine(packageInEngineDir(dir), signal);
      if (check.code === 0) return describe(dir, check);
    }
  }

  progress(0);
  const python = await findPython(signal);
  for (const [tool, args, mend] of [
    ["npm", ["--version"], "It comes with Node.js"],
    ["g++", ["--version"], "On Debian or Ubuntu: apt-get install g++"],
    ["make", ["--version"], "On Debian or Ubuntu: apt-get install make"],
  ] as const) {
    await need(execute(tool, args, { signal }), `${tool} is missing`, mend);
  }
  const nodeGyp = await findNodeGyp(signal);

  const work = `${dir}.partial-${process.pid}`;
  try {
    await rm(work, { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    await writeFile(path.join(work, "package.json"), '{ "private": true }\n');

    progress(1);
    await need(
      execute(
        "npm",
        [
          "install",
          "--ignore-scripts",
          "--no-audit",
          "--no-fund",
          `@tensorflow/tfjs-node@${TFJS_NODE_VERSION}`,
        ],
        { cwd: work, signal },
      ),
      "npm could not fetch tfjs-node",
      "See npm's own message and the registry that npm is set to:",
    );

    progress(2);
    const wheels = path.join(work, "wheel");
    // pip downloads into its temporary folder first: here it can be watched, and the disk is the same.
    const arriving = path.join(wheels, "arriving");
    await mkdir(arriving, { recursive: true });
    const requirements = path.join(wheels, "requirements.txt");
    await writeFile(requirements, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
    const pip = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"];
    const target = ["--platform", WHEEL.platform, "--python-version", WHEEL.python, "--implementation", "cp"];
    const fetching = execute(
      python,
      [...pip, "--disable-pip-version-check", ...target, "--abi", "cp311", "-d", wheels, "-r", requirements],
      { env: { ...process.env, TMPDIR: arriving }, signal },
    );
    await need(
      withTicks(fetching, wheels, (bytes) => {
        const megabytes = Math.min(Math.floor(bytes / 1e6), WHEEL.megabytes);
        progress(2, `downloading TensorFlow: ${megabytes} of ${WHEEL.megabytes} MB`);
      }),
      `pip could not fetch ${WHEEL.requirement}`,
      "See pip's own message and the index that pip is set to:",
    );
    const wheel = (await readdir(wheels)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip download succeeded and left no wheel");

    progress(3);
    const tfjsNode = packageInEngineDir(work);
    await need(
      execute(python, ["-c", UNPACK, path.join(wheels, wheel), wheels], { signal }),
      "the wheel could not be unpacked",
      "Is the disk full?",
    );
    const unpacked = path.join(wheels, "tensorflow");
    const lib = path.join(tfjsNode, "deps", "lib");
    await mkdir(lib, { recursive: true });
    for (const [from, link] of [
      ["libtensorflow_cc.so.2", "libtensorflow.so"],
      ["libtensorflow_framework.so.2", "libtensorflow_framework.so"],
    ] as const) {
      await rename(path.join(unpacked, from), path.join(lib, from));
      await symlink(from, path.join(lib, link));
    }
    await rename(path.join(unpacked, "include"), path.join(tfjsNode, "deps", "include"));
    await rm(wheels, { recursive: true });

    progress(4);
    const binding = path.join(tfjsNode, "lib", "napi-v8");
    await need(
      execute(
        process.execPath,
        [
          nodeGyp,
          "rebuild",
          "--module_name=tfjs_binding",
          `--module_path=${binding}`,
          "--napi_build_version=8",
          ...headersArgument(),
        ],
        { cwd: tfjsNode, env: process.env, signal },
      ),
      "the binding could not be built",
      "The compiler said:",
    );
    await rm(path.join(tfjsNode, "build"), { recursive: true, force: true });

    progress(5);
    const check = await checkEngine(tfjsNode, signal);
    if (check.code !== 0) {
      throw new UserError(`the engine was built and does not train on this computer:\n${check.tail}`, {
        exitCode: 1,
      });
    }
    await writeFile(
      path.join(work, "engine.json"),
      `${JSON.stringify({ tfjsNode: TFJS_NODE_VERSION, tensorflow: TENSORFLOW_VERSION }, null, 2)}\n`,
    );

    const old = `${dir}.old-${process.pid}`;
    const replaces = existsSync(dir);
    if (replaces) await rename(dir, old);
    await rename(work, dir);
    // Processes that still run the old library keep its files open; the names go now.
    if (replaces) await rm(old, { recursive: true, force: true });
    return describe(dir, check);
  } finally {
    // A program that was just told to stop may write one more file meanwhile.
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
  }
};
