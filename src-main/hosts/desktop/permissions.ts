import { basename } from "node:path";
import type { Session } from "electron";
import { APP_ORIGIN, isOurPage } from "./origin.ts";

/** All that the page may do beyond showing itself. */
const ALLOWED: ReadonlySet<string> = new Set(["clipboard-sanitized-write", "notifications"]);

const isAllowed = (permission: string, address: string | undefined): boolean =>
  ALLOWED.has(permission) && address !== undefined && isOurPage(address);

/** Nothing in the window may load these addresses. */
const ELSEWHERE = ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*", "ftp://*/*", "file://*/*"];

type GuardedSession = Pick<
  Session,
  | "setPermissionRequestHandler"
  | "setPermissionCheckHandler"
  | "setDevicePermissionHandler"
  | "setDisplayMediaRequestHandler"
  | "setSpellCheckerEnabled"
  | "on"
  | "webRequest"
>;

/** Electron allows what is not forbidden. This forbids everything except writing to the clipboard and notifications. */
export const guardSession = (session: GuardedSession, refused: (what: string) => void): void => {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    const allowed = isAllowed(permission, details.requestingUrl);
    if (!allowed) refused(`the permission ${permission}`);
    answer(allowed);
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => isAllowed(permission, origin));
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  session.setSpellCheckerEnabled(false);
  session.on("select-hid-device", (event, _details, choose) => {
    event.preventDefault();
    choose(null);
  });
  session.on("select-usb-device", (event, _details, choose) => {
    event.preventDefault();
    choose();
  });
  session.on("select-serial-port", (event, _ports, _contents, choose) => {
    event.preventDefault();
    choose("");
  });
  session.webRequest.onBeforeRequest({ urls: ELSEWHERE }, ({ url }, answer) => {
    refused(`to load ${url}`);
    answer({ cancel: true });
  });
  session.on("will-download", (event, item) => {
    // An export, which the page has made itself.
    if (item.getURL().startsWith(`blob:${APP_ORIGIN}/`)) {
      const name = basename(item.getFilename().replaceAll("\\", "/")) || "fedfleet";
      item.setSaveDialogOptions({ title: "Save", defaultPath: name });
      return;
    }
    event.preventDefault();
    refused(`to download ${item.getURL()}`);
  });
};
