import type { Notification } from "electron";
import type { LabEvent } from "#contract/events.ts";

export interface Notice {
  readonly title: string;
  readonly body: string;
}

const LONGEST = 200;

/** What a person who looks elsewhere should know: a study has come to its end, good or bad. */
export const noticeOf = (
  event: LabEvent,
  focused: boolean,
  nameOf: (study: string) => string,
): Notice | undefined => {
  // Whoever interrupted a study knows that he did.
  if (focused || event.kind !== "study-ended" || event.status === "interrupted") return undefined;
  const name = nameOf(event.study).slice(0, LONGEST);
  if (event.status === "done") return { title: "Study done", body: `${name}: all its runs are done.` };
  const reason = event.reason?.split("\n")[0]?.slice(0, LONGEST);
  return { title: "Study failed", body: reason === undefined ? name : `${name}: ${reason}` };
};

/** Shows notices of the system; a click on one shows the window. */
export const createNotifier = (
  electron: { readonly Notification: typeof Notification },
  ports: { isFocused(): boolean; showWindow(): void; nameOf(study: string): string },
) => {
  // One that is collected no longer answers a click.
  const shown = new Set<Notification>();
  return (event: LabEvent): void => {
    const notice = noticeOf(event, ports.isFocused(), ports.nameOf);
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
