import type { Command } from "./arguments.ts";
import { type CommandDeps, EXIT_INTERRUPTED } from "./commands.ts";

/** A lab that browsers can reach. */
export interface ServedLab {
  /** With the token. */
  readonly url: string;
  /** Shows the lab in the user's browser, where there is one. */
  openBrowser(): void;
  /** The name of the study that is being conducted. */
  running(): string | undefined;
  /** Stops what runs, so that it can be resumed, and lets go of the pages and of the data directory. */
  close(): Promise<void>;
}

export interface ServeDeps extends Pick<CommandDeps, "stdout" | "screen" | "onInterrupt"> {
  serve(options: {
    readonly dataDir: string | undefined;
    readonly port: number | undefined;
  }): Promise<ServedLab>;
  /** Ends the process at once. */
  exitNow(code: number): void;
}

/** Serves the lab until Ctrl-C. */
export const serveCommand = async (
  { dataDir, port, open }: Command & { name: "serve" },
  deps: ServeDeps,
): Promise<number> => {
  const served = await deps.serve({ dataDir, port });
  const interrupted = Promise.withResolvers<void>();
  let times = 0;
  const offInterrupt = deps.onInterrupt(() => {
    times += 1;
    if (times === 1) interrupted.resolve();
    else deps.exitNow(EXIT_INTERRUPTED);
  });
  deps.stdout.write(`${served.url}\n`);
  deps.screen.write("The lab is open at this address, for this computer alone. Ctrl-C closes it.\n");
  if (open) served.openBrowser();
  await interrupted.promise;
  const study = served.running();
  deps.screen.write(
    study === undefined
      ? "Closing the lab.\n"
      : `Closing the lab: ${study} is stopped now and can be resumed. Press Ctrl-C again to leave at once.\n`,
  );
  try {
    await served.close();
  } finally {
    offInterrupt();
  }
  return study === undefined ? 0 : EXIT_INTERRUPTED;
};
