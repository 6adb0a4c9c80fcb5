import type { EngineInfo } from "#contract/jobs.ts";
import type { Command } from "./arguments.ts";
import type { Screen } from "./terminal.ts";

export interface EngineCommands {
  install(options: {
    dir: string | undefined;
    onProgress: (message: string) => void;
    signal: AbortSignal;
  }): Promise<EngineInfo>;
  list(): Promise<
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

export const engineCommand = async (
  command: Command & { name: "engine" },
  engines: EngineCommands,
  {
    stdout,
    screen,
    onInterrupt,
  }: {
    readonly stdout: { write(text: string): unknown };
    readonly screen: Screen;
    onInterrupt(listener: () => void): () => void;
  },
): Promise<number> => {
  if (command.action === "install") {
    const stop = new AbortController();
    const off = onInterrupt(() => stop.abort(new Error("stopped by Ctrl-C")));
    const info = await engines
      .install({
        dir: command.dir,
        onProgress: (message) =>
          screen.write(`${message}
`),
        signal: stop.signal,
      })
      .finally(off);
    stdout.write(
      command.json ? `${JSON.stringify(info)}\n` : `native engine ${info.version} in ${info.path}\n`,
    );
    return 0;
  }
  const list = await engines.list();
  if (command.json) stdout.write(`${JSON.stringify(list)}\n`);
  for (const e of command.json ? [] : list) {
    const state = e.chosen ? "used" : e.usable ? "usable" : `not usable: ${e.reason ?? "unknown reason"}`;
    stdout.write(`${e.kind.padEnd(9)} ${(e.version || "–").padEnd(8)} ${state}  ${e.path}\n`);
  }
  return 0;
};
