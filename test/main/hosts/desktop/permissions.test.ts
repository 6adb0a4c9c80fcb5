import { expect, test } from "vitest";
import { guardSession } from "#main/hosts/desktop/permissions.ts";
import { FakeEvent, FakeSession } from "#test/fakes/electron.ts";

const guarded = () => {
  const session = new FakeSession();
  const refused: string[] = [];
  guardSession(session as unknown as Parameters<typeof guardSession>[0], (what) => refused.push(what));
  return { session, refused };
};

/** Electron's own names of what a page can ask for. */
const PERMISSIONS = [
  "clipboard-read",
  "clipboard-sanitized-write",
  "display-capture",
  "fullscreen",
  "geolocation",
  "hid",
  "idle-detection",
  "keyboardLock",
  "media",
  "mediaKeySystem",
  "midi",
  "midiSysex",
  "notifications",
  "openExternal",
  "pointerLock",
  "serial",
  "speaker-selection",
  "storage-access",
  "top-level-storage-access",
  "usb",
  "window-management",
  "fileSystem",
  "deprecated-sync-clipboard-read",
  "unknown",
  "a permission of a later version",
];

test("of all permissions our page has two, and any other page none", () => {
  const { session } = guarded();
  const ask = (permission: string, requestingUrl: string) => {
    let given: boolean | undefined;
    session.handlers.ask!({}, permission, (answer: boolean) => (given = answer), { requestingUrl });
    return given;
  };
  const allowed = PERMISSIONS.filter((permission) => ask(permission, "app://lab/"));
  expect(allowed).toEqual(["clipboard-sanitized-write", "notifications"]);
  expect(PERMISSIONS.filter((permission) => session.handlers.check!(null, permission, "app://lab"))).toEqual(
    allowed,
  );
  for (const other of ["https://example.com/", "app://lab.example.com/", "file:///", ""]) {
    expect(PERMISSIONS.filter((permission) => ask(permission, other))).toEqual([]);
    expect(PERMISSIONS.filter((permission) => session.handlers.check!(null, permission, other))).toEqual([]);
  }
});

test("no device is ever given: USB, HID, serial, screens", () => {
  const { session } = guarded();
  for (const deviceType of ["usb", "hid", "serial"])
    expect(session.handlers.device!({ deviceType })).toBe(false);
  let given: unknown;
  session.handlers.display!({}, (streams: unknown) => (given = streams));
  expect(given).toEqual({});
  const chosen: unknown[] = [];
  const choose = (id: unknown = "none") => chosen.push(id);
  const events = [new FakeEvent(), new FakeEvent(), new FakeEvent()];
  session.emit("select-hid-device", events[0], {}, choose);
  session.emit("select-usb-device", events[1], {}, choose);
  session.emit("select-serial-port", events[2], [], {}, choose);
  expect(events.every(({ prevented }) => prevented)).toBe(true);
  expect(chosen).toEqual([null, "none", ""]);
  expect(session.spellChecker).toBe(false);
});

test("nothing is loaded from elsewhere", () => {
  const { session, refused } = guarded();
  expect(session.blocked).toEqual(
    ["http", "https", "ws", "wss", "ftp", "file"].map((scheme) => `${scheme}://*/*`),
  );
  let answer: unknown;
  session.handlers.request!({ url: "https://example.com/x.js" }, (given: unknown) => (answer = given));
  expect(answer).toEqual({ cancel: true });
  expect(refused).toEqual(["to load https://example.com/x.js"]);
});

test.each([
  ["blob:app://lab/0b1c", "table.csv", "table.csv"],
  ["blob:app://lab/0b1c", "../../.bashrc", ".bashrc"],
  ["blob:app://lab/0b1c", "..\\..\\run.exe", "run.exe"],
  ["blob:app://lab/0b1c", "", "fedfleet"],
  ["https://example.com/run.exe", "run.exe", undefined],
  ["blob:https://example.com/0b1c", "x", undefined],
  ["blob:app://lab.example.com/0b1c", "x", undefined],
  ["data:text/plain,x", "x", undefined],
])("a download of %s as %s", (url, filename, saved) => {
  const { session } = guarded();
  const event = new FakeEvent();
  let path: string | undefined;
  session.emit("will-download", event, {
    getURL: () => url,
    getFilename: () => filename,
    setSaveDialogOptions: (options: { defaultPath: string }) => (path = options.defaultPath),
  });
  expect([event.prevented, path]).toEqual([saved === undefined, saved]);
});
