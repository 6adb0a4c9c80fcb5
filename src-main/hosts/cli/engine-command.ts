import type { EngineInfo } from "#contract/jobs.ts";
import type { Read } from "./command-table.ts";
import type { CommandDeps } from "./commands.ts";

export interface EngineCommands {
  install(options: {
    dir: string | undefined;
    onProgress: (message: string) => void;
    signal: AbortSignal;
  }): Promise<EngineInfo>;
  /** @param dir of the native engine; default: the usual one */
  list(dir: string | undefined): Promise<
    readonly {
      kind: string;
      path: string;
      version: string;
      usable: boolean;
      reason?: string;
      chosen: boolean;
    }[]
  >;
}

export const engineListCommand = async (
  command: Read<"engine list">,
  engines: EngineCommands,
  stdout: { write(text: string): unknown },
): Promise<number> => {
  const list = await engines.list(command.dir);
  if (command.json) stdout.write(`${JSON.stringify(list)}\n`);
  for (const e of command.json ? [] : list) {
    const state = e.chosen ? "in use" : e.usable ? "usable" : `not usable: ${e.reason ?? "unknown reason"}`;
    stdout.write(`${e.kind.padEnd(9)} ${(e.version || "–").padEnd(8)} ${state}  ${e.path}\n`);
  }
  return 0;
};

export const engineInstallCommand = async (
  command: Read<"engine install">,
  engines: EngineCommands,
  { stdout, screen, onInterrupt }: Pick<CommandDeps, "stdout" | "screen" | "onInterrupt">,
): Promise<number> => {
  const stop = new AbortController();
  const off = onInterrupt(() => stop.abort(new Error("stopped by Ctrl-C")));
  const info = await engines
    .install({
      dir: command.dir,
      onProgress: (message) => screen.write(`${message}\n`),
      signal: stop.signal,
    })
    .finally(off);
  stdout.write(
    command.json
      ? `${JSON.stringify(info)}\n`
      : `installed the native engine ${info.version} in ${info.path}\n`,
  );
  return 0;
};
