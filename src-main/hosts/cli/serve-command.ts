import type { Read } from "./command-table.ts";
import { type CommandDeps, EXIT_INTERRUPTED } from "./commands.ts";

/** A lab that browsers of this computer can open. */
export interface ServedLab {
  /** The address, with its token. */
  readonly url: string;
  /** Opens the lab in the user's browser, where there is one. */
  openBrowser(): void;
  /** The name of the running study. */
  running(): string | undefined;
  /** Stops the running study, so that it can be resumed, disconnects the pages and releases the data directory. */
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
  { dataDir, port, open }: Read<"serve">,
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
  deps.screen.write("The lab is open at this address, on this computer only. Press Ctrl-C to close it.\n");
  if (open) served.openBrowser();
  await interrupted.promise;
  const study = served.running();
  deps.screen.write(
    study === undefined
      ? "Closing the lab.\n"
      : `Closing the lab. ${study} stops now and can be resumed later. Press Ctrl-C again to quit immediately.\n`,
  );
  try {
    await served.close();
  } finally {
    offInterrupt();
  }
  return study === undefined ? 0 : EXIT_INTERRUPTED;
};
