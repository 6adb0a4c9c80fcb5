import type { Notification } from "electron";
import type { LabEvent } from "#contract/events.ts";
import type { Activity } from "#contract/views.ts";

/** Of the operating system. */
export interface SystemNotice {
  readonly title: string;
  readonly body: string;
}

const LONGEST = 200;

/** Whether a person is stopping this study, or it has not started: they know, and need no notice. */
const isStopped = (study: string, activity: Activity): boolean =>
  activity.study !== study || activity.phase === "stopping-after-round" || activity.phase === "stopping-now";

/**
 * What to tell a person who is looking elsewhere: a study is done, has failed or was interrupted.
 * @param activity of the lab at that moment
 */
export const noticeOf = (
  event: LabEvent,
  activity: Activity,
  nameOf: (study: string) => string,
): SystemNotice | undefined => {
  if (event.kind !== "study-ended") return undefined;
  if (event.status === "interrupted" && isStopped(event.study, activity)) return undefined;
  const name = nameOf(event.study).slice(0, LONGEST);
  if (event.status === "done") return { title: "Study done", body: `${name}: all runs are done.` };
  const title = event.status === "failed" ? "Study failed" : "Study interrupted";
  const reason = event.reason?.split("\n")[0]?.slice(0, LONGEST);
  return { title, body: reason === undefined ? name : `${name}: ${reason}` };
};

/** Shows system notifications. A click on one shows the window. */
export const createNotifier = (
  electron: { readonly Notification: typeof Notification },
  ports: {
    isFocused(): boolean;
    showWindow(): void;
    activity(): Activity;
    nameOf(study: string): string;
  },
) => {
  // One that is garbage-collected no longer answers a click.
  const shown = new Set<Notification>();
  return (event: LabEvent): void => {
    if (ports.isFocused()) return;
    const notice = noticeOf(event, ports.activity(), ports.nameOf);
    if (notice === undefined || !electron.Notification.isSupported()) return;
    const notification = new electron.Notification(notice);
    shown.add(notification);
    notification.on("click", () => {
      shown.delete(notification);
      ports.showWindow();
    });
    notification.on("close", () => shown.delete(notification));
    notification.show();
  };
};
