import type { Menu, MenuItemConstructorOptions, Tray } from "electron";
import type { Activity } from "#contract/views.ts";

export interface TrayActions {
  show(): void;
  stopAfterRound(study: string): void;
  quit(): void;
}

/** The icon's file. macOS colours a template itself. */
export const trayIcon = (platform: NodeJS.Platform): string =>
  platform === "darwin" ? "trayTemplate.png" : "tray.png";

/** What the lab is doing, in one line. */
export const statusText = (activity: Activity, nameOf: (study: string) => string): string => {
  const { study, phase, queue } = activity;
  if (study === undefined) return "No study is running";
  const doing = {
    starting: "starting",
    running: "running",
    pausing: "pausing",
    paused: "paused",
    "stopping-after-round": "stopping after this round",
    "stopping-now": "stopping",
  }[phase ?? "running"];
  const waiting = queue.length === 0 ? "" : `, ${queue.length} queued`;
  return `${nameOf(study).slice(0, 60)}: ${doing}${waiting}`;
};

const trayMenu = (
  activity: Activity,
  nameOf: (study: string) => string,
  actions: TrayActions,
): MenuItemConstructorOptions[] => {
  const { study, phase } = activity;
  const canStop = study !== undefined && phase !== "stopping-after-round" && phase !== "stopping-now";
  return [
    { label: statusText(activity, nameOf), enabled: false },
    { type: "separator" },
    { label: "Show Fedfleet", click: () => actions.show() },
    {
      label: "Stop after this round",
      enabled: canStop,
      click: () => {
        if (study !== undefined) actions.stopAfterRound(study);
      },
    },
    { type: "separator" },
    { label: "Quit", click: () => actions.quit() },
  ];
};

/** The icon in the tray, shown while a study runs or the window is hidden. */
export const createTray = (
  electron: { readonly Tray: typeof Tray; readonly Menu: Pick<typeof Menu, "buildFromTemplate"> },
  options: { readonly icon: string; readonly nameOf: (study: string) => string },
  actions: TrayActions,
) => {
  let tray: Tray | undefined;
  let over = false;
  return {
    update(activity: Activity, windowVisible: boolean): void {
      if (over) return;
      if (activity.study === undefined && windowVisible) {
        tray?.destroy();
        tray = undefined;
        return;
      }
      if (tray === undefined) {
        tray = new electron.Tray(options.icon);
        tray.on("click", () => actions.show());
      }
      tray.setToolTip(`Fedfleet: ${statusText(activity, options.nameOf)}`);
      tray.setContextMenu(electron.Menu.buildFromTemplate(trayMenu(activity, options.nameOf, actions)));
    },
    /** For good: activity may still be reported while the lab closes. */
    destroy(): void {
      over = true;
      tray?.destroy();
      tray = undefined;
    },
  };
};
