import { spawn } from "node:child_process";
import { once } from "node:events";
import { restoreUtil } from "./load-native.ts";

/** What `loadNative` does, in a process of its own; when it fails, the last line of its output says why. */
const TRY = `
(${restoreUtil})(require("util"));
try {
  require(process.argv[1]).backend().binding.TF_Version;
} catch (error) {
  console.error("\\n" + String(error?.message || error).trim().split("\\n")[0]);
  process.exit(1);
}
process.exit(0);
`;

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What went wrong, in one line: the lines that loaders add below it are for their developers. */
export const firstLine = (error: unknown): string =>
  linesOf(error instanceof Error ? error.message : String(error))[0] ?? "unknown reason";

/**
 * Loads tfjs-node from a package folder in a short-lived process of its own: a library that crashes on this
 * processor, or hangs, ends only that one.
 *
 * @param limitMs how long it may take, in milliseconds; usually it takes a third of a second
 * @returns why it cannot be loaded, in a few words, or undefined where it can
 */
export const whyNotLoadable = async (packageDir: string, limitMs = 20_000): Promise<string | undefined> => {
  const child = spawn(process.execPath, ["-e", TRY, packageDir], {
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, limitMs);
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-4_000);
  });
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    if (code === 0) return undefined;
    if (timedOut) return `loading it takes longer than ${limitMs / 1000} s`;
    if (signal !== null) return `its library crashed with ${signal}`;
    return linesOf(words).at(-1) ?? `loading it ended with exit code ${code}`;
  } catch (error) {
    return `it could not be tried: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
  }
};
