import { spawn } from "node:child_process";
import { UserError } from "#contract/failure.ts";

export interface ToolOutput {
  readonly code: number;
  readonly stdout: string;
  /** The last lines of everything that it printed. */
  readonly tail: string;
}

/**
 * Runs a program of this computer to its end; code 127 where there is none of this name.
 * @throws UserError when the signal aborts.
 */
export const runTool = (
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal | undefined } = {},
): Promise<ToolOutput> =>
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

/** @throws UserError with `problem`, `fix` and what the program said, when it did not end with code 0. */
export const needTool = async (
  running: Promise<ToolOutput>,
  problem: string,
  fix: string,
): Promise<ToolOutput> => {
  const output = await running;
  if (output.code !== 0) throw new UserError(`${problem}. ${fix}\n${output.tail}`, { exitCode: 1 });
  return output;
};
