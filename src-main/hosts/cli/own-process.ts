import process from "node:process";

/** The reader of our output may stop reading (`fedfleet list | head -1`): that is not an error. */
export const toleratePipes = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
};

/** Calls back at each Ctrl-C or SIGTERM. @returns what ends that. */
export const onInterrupt = (listener: () => void): (() => void) => {
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return () => {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  };
};
