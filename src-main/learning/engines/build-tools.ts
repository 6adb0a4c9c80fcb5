import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { UserError } from "#contract/failure.ts";
import { needTool, runTool } from "./run-tool.ts";

/** Programs that an installation needs. */
export interface BuildTools {
  readonly python: string;
  readonly nodeGyp: string;
}

const findPython = async (signal: AbortSignal | undefined): Promise<string> => {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const { code } = await runTool(python, ["-m", "pip", "--version"], { signal });
    if (code === 0) return python;
  }
  throw new UserError("python3 with pip is missing. On Debian or Ubuntu: apt-get install python3-pip", {
    exitCode: 1,
  });
};

/** node-gyp's program: the lab's own, or the one that npm brings. */
const findNodeGyp = async (signal: AbortSignal | undefined): Promise<string> => {
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    const { stdout } = await runTool("npm", ["root", "-g"], { signal });
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
 * @param nodeGyp node-gyp's program, where the caller has one
 * @throws UserError that names the first tool that is missing, and the package that brings it.
 */
export const findBuildTools = async (
  nodeGyp: string | undefined,
  signal: AbortSignal | undefined,
): Promise<BuildTools> => {
  const python = await findPython(signal);
  for (const [tool, fix] of [
    ["npm", "It comes with Node.js"],
    ["g++", "On Debian or Ubuntu: apt-get install g++"],
    ["make", "On Debian or Ubuntu: apt-get install make"],
  ] as const) {
    await needTool(runTool(tool, ["--version"], { signal }), `${tool} is missing`, fix);
  }
  return { python, nodeGyp: nodeGyp ?? (await findNodeGyp(signal)) };
};

/**
 * Builds tfjs-node's binding against the TensorFlow in its `deps` folder.
 * @throws UserError with the compiler's message.
 */
export const buildBinding = async (
  nodeGyp: string,
  tfjsNode: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const binding = path.join(tfjsNode, "lib", "napi-v8");
  const target = ["--module_name=tfjs_binding", `--module_path=${binding}`, "--napi_build_version=8"];
  const building = runTool(process.execPath, [nodeGyp, "rebuild", ...target, ...headersArgument()], {
    cwd: tfjsNode,
    env: process.env,
    signal,
  });
  await needTool(building, "the binding could not be built", "The compiler said:");
  await rm(path.join(tfjsNode, "build"), { recursive: true, force: true });
};
