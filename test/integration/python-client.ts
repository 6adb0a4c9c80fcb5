import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pythonOf } from "#test/setup/flwr.ts";

const SCRIPTS = fileURLToPath(new URL("../../device-scripts", import.meta.url));

/** What the client tells on its standard output. */
export interface ClientEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface PythonClient {
  readonly child: ChildProcess;
  readonly events: readonly ClientEvent[];
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** Starts device-scripts' client in a process of its own, as a person would. */
export const startPythonClient = (
  args: readonly string[],
  command: readonly string[] = ["-m", "fedfleet_client"],
): PythonClient => {
  const child = spawn(pythonOf("1.11.1"), ["-B", ...command, ...args], {
    cwd: SCRIPTS,
    env: { ...process.env, OMP_NUM_THREADS: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: ClientEvent[] = [];
  let rest = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line) as ClientEvent);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr }));
  });
  return { child, events, ended };
};
