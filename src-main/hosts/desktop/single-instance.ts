import type { App } from "electron";

/**
 * Whether this is the first of its kind: two would have one database and one fleet between them. The first one shows
 * itself when a second is started.
 */
export const isOnlyInstance = (
  app: Pick<App, "requestSingleInstanceLock" | "on">,
  showWindow: () => void,
): boolean => {
  if (!app.requestSingleInstanceLock()) return false;
  app.on("second-instance", () => showWindow());
  return true;
};
