import type { App } from "electron";
import { UserError } from "#contract/failure.ts";

type OneApp = Pick<App, "requestSingleInstanceLock" | "on" | "whenReady" | "quit" | "exit">;

/**
 * Opens the desktop once Electron is ready. Two would share one database and one fleet: a second start shows the window
 * of the first and ends. What a person can mend (a UserError) is shown, and ends the app with its exit code.
 */
export const openOnce = async (
  app: OneApp,
  open: () => Promise<{ show(): void }>,
  cannotStart: (message: string) => void,
): Promise<void> => {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  let window: { show(): void } | undefined;
  app.on("second-instance", () => window?.show());
  await app.whenReady();
  try {
    window = await open();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    cannotStart(error.message);
    app.exit(error.exitCode);
  }
};
